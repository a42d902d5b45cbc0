/** An ID as ION returns it: a number in some versions, a text in others. */
export type Id = string | number;
