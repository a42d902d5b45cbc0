/** Loaded with the bundle, like its script. */
export const STYLE = `
#ion-graphql-expanded { display: flex; flex-direction: column; gap: 8px; }
#ion-graphql-expanded :is(section, p) { min-width: 0; margin: 0; }
.ion-graphql-expanded-bar { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; }
.ion-graphql-expanded-bar > [role=status] { margin-left: auto; }
#ion-graphql-expanded [role=status] { color: var(--red-ui-secondary-text-color); font-size: 12px; overflow-wrap: anywhere; }
.ion-graphql-expanded-parts { display: grid; flex: 1; gap: 12px; min-height: 0; grid-template: minmax(0, 1fr) / 230px minmax(0, 1.2fr) minmax(0, 1fr); }
.ion-graphql-expanded-parts.ion-graphql-no-list { grid-template-columns: minmax(0, 1.2fr) minmax(0, 1fr); }
.ion-graphql-no-list > :first-child { display: none; }
.ion-graphql-expanded-parts > section { display: flex; flex-direction: column; gap: 6px; min-height: 0; }
#ion-graphql-expanded-editor { height: 100%; min-height: 0; margin: 0; }
#ion-graphql-operations-search, #ion-graphql-expanded-variables { box-sizing: border-box; width: 100%; margin: 0; }
#ion-graphql-operations { flex: 1; min-height: 0; overflow: auto; border: 1px solid var(--red-ui-form-input-border-color); border-radius: 4px; background: var(--red-ui-form-input-background); }
#ion-graphql-operations[hidden] { display: none; }
#ion-graphql-operations h4 { position: sticky; top: 0; margin: 0; padding: 4px 8px; font-size: 12px; line-height: 16px; color: var(--red-ui-primary-text-color); background: var(--red-ui-secondary-background); border-bottom: 1px solid var(--red-ui-secondary-border-color); }
#ion-graphql-operations [role=option] { padding: 3px 8px; cursor: pointer; color: var(--red-ui-primary-text-color); scroll-margin-top: 26px; }
#ion-graphql-operations [role=option]:hover { background: var(--red-ui-list-item-background-hover); }
#ion-graphql-operations [role=option].ion-graphql-active { background: var(--red-ui-list-item-background-selected); box-shadow: inset 3px 0 var(--red-ui-form-input-border-selected-color); }
#ion-graphql-operations b { display: block; font-weight: normal; line-height: 18px; overflow-wrap: anywhere; }
#ion-graphql-operations small { display: block; overflow: hidden; line-height: 16px; color: var(--red-ui-secondary-text-color); text-overflow: ellipsis; white-space: nowrap; }
#ion-graphql-expanded-variables { height: 92px; font-family: var(--red-ui-monospace-font); font-size: 12px; resize: vertical; }
#ion-graphql-expanded-trial label { width: auto; margin: 0; }
#ion-graphql-expanded-trial .red-ui-button { align-self: flex-start; }
#ion-graphql-expanded-result { flex: 1; min-height: 0; padding: 6px 6px 6px 16px; overflow: auto; border: 1px solid var(--red-ui-form-input-border-color); border-radius: 4px; }
#ion-graphql-expanded-result.ion-graphql-old { opacity: 0.7; }
#ion-graphql-expanded-result.ion-graphql-failed p { color: var(--red-ui-text-color-error); }
#ion-graphql-expanded.ion-graphql-stacked { height: auto; padding-bottom: 10px; }
.ion-graphql-stacked .ion-graphql-expanded-parts { display: flex; flex-direction: column; }
.ion-graphql-stacked #ion-graphql-operations { max-height: 220px; }
.ion-graphql-stacked #ion-graphql-expanded-editor { height: 300px; }
.ion-graphql-stacked #ion-graphql-expanded-result { min-height: 120px; max-height: 400px; }
`;
