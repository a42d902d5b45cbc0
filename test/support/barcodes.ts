import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { toBuffer } from 'bwip-js/node';

const run = promisify(execFile);

export type Symbology = 'qrcode' | 'code128';

/**
 * Draws a barcode as a PNG file, and reads it as a scanner does.
 * @param zbarimg the command of ZBar
 * @param folder for the picture
 * @returns the text that ZBar sees in the picture
 */
export async function scanPicture(
  zbarimg: string,
  folder: string,
  symbology: Symbology,
  text: string,
): Promise<string> {
  const file = join(folder, `${symbology}.png`);
  // With the white margin without which no reader finds the code.
  const picture = { bcid: symbology, text, scale: 3, padding: 12, backgroundcolor: 'FFFFFF' };
  await writeFile(file, await toBuffer(picture));
  const { stdout } = await run(zbarimg, ['--raw', '--quiet', file]);
  // The command ends each code with a line feed.
  return stdout.slice(0, -1);
}
