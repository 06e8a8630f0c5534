/**
 * Every limit of programs, with its reason. They come from users, by text or by API: length and names are held against these
 * before anything else is done, and whoever loads or runs one waits for it.
 */

/** Registers of a program, `r0` to `r15`: one that needs more holds more at once than its reader can follow. */
export const REGISTERS = 16;

/** Text of one program: the longest lines at the highest number of instructions stay below. */
export const PROGRAM_BYTES_MAX = 256 * 1024;

/** Instructions of one program, all steps included: a page of text is fifty, and a loop does the repeating. */
export const INSTRUCTIONS_MAX = 1024;

/** Steps of one program: few lines each at the highest number of instructions. */
export const STEPS_MAX = 64;

/** Arguments of one program: one for each register. */
export const PARAMETERS_MAX = 16;

/** Name of a program, a step, an argument, an allocator, a map or a field: as long as a label of a host name. */
export const NAME_BYTES_MAX = 63;

/** Largest integer: unsigned 32 bits, more than a map has entries. */
export const INTEGER_MAX = 4_294_967_295;

/** Blocks inside blocks, `if` and `loop`: bounds what the verifier does again for each loop around a loop. */
export const BLOCK_DEPTH_MAX = 8;

/** Turns of one loop: the entries of a large map. */
export const LOOP_TIMES_MAX = 65_536;

/** Steps called by steps: as the blocks inside blocks, for the same reason. */
export const CALL_DEPTH_MAX = 8;

/** Instructions once every call is replaced by its step: steps that call steps could multiply them without end. */
export const LINKED_INSTRUCTIONS_MAX = 8192;

/** Instructions that the verifier evaluates for one program: the longest twelve times over. Few need three. */
export const EVALUATIONS_MAX = 100_000;

/** States that are visited to find the shortest path to an error, and as many again to find any. */
export const PATH_STATES_MAX = 20_000;

/** Lines of the verifier's log that are kept: enough for every instruction of an ordinary program many times. */
export const LOG_LINES_MAX = 10_000;

/** Instructions executed in one run: a fraction of a second, in which the maps of the program are kept from others. */
export const RUN_INSTRUCTIONS_MAX = 1_000_000;
