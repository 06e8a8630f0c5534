/** What went wrong: noted, so that the others go on, unless everything is being ended. */
import { isOver } from './processes.js';

export class Failures {
  /** @type {string[]} */
  sentences = [];

  /**
   * @param {string} where
   * @param {unknown} error
   */
  note(where, error) {
    if (isOver()) throw error;
    const sentence = `${where}: ${error instanceof Error ? error.message : String(error)}`;
    console.error(sentence);
    this.sentences.push(sentence);
  }
}
