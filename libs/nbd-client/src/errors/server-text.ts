/** Longest text of a server that is repeated in an error: what one line of a terminal can bear twice. */
const SHOWN_CHARACTERS_MAX = 200;

/**
 * What a server wrote for a human, fit to stand in an error of ours: control characters become blanks, since they would
 * move the cursor of a terminal or break a line of a log.
 */
export function serverText(text: string): string {
  const plain = text.replaceAll(/\p{Cc}+/gu, ' ').trim();
  return plain.length <= SHOWN_CHARACTERS_MAX ? plain : `${plain.slice(0, SHOWN_CHARACTERS_MAX)}…`;
}
