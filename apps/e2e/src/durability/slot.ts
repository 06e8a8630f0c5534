/** What a disk may tear a write into at worst. */
const SECTOR_BYTES = 512;
export const SLOT_BYTES = 256 * 1024;
const SECTORS = SLOT_BYTES / SECTOR_BYTES;

/**
 * A part of a disk that one client writes whole, one write after the other. Each sector says which write it is of, so that a
 * write that was answered and is not there shows, and one that was torn.
 */
export class Slot {
  readonly offset: number;
  /** Which write each sector is of; 0: none yet. */
  readonly #sectors = new Uint32Array(SECTORS);
  #writing = 0;
  #isUnderWay = false;

  constructor(private readonly index: number) {
    this.offset = index * SLOT_BYTES;
  }

  /** The bytes of the next write. */
  begin(): Buffer {
    this.#writing++;
    this.#isUnderWay = true;
    const bytes = Buffer.alloc(SLOT_BYTES);
    for (let sector = 0; sector < SECTORS; sector++) this.#mark(bytes, sector, this.#writing);
    return bytes;
  }

  /** The write that began is there from now on, whatever happens. */
  answered(): void {
    this.#sectors.fill(this.#writing);
    this.#isUnderWay = false;
  }

  /** Compares with what is there after a crash, and goes on from it. @throws Error naming the sector */
  check(found: Buffer): void {
    const expected = Buffer.alloc(SECTOR_BYTES);
    for (let sector = 0; sector < SECTORS; sector++) {
      const bytes = found.subarray(sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES);
      const before = this.#sectors[sector] ?? 0;
      const allowed = this.#isUnderWay ? [before, this.#writing] : [before];
      const is = allowed.find((write) => {
        this.#mark(expected, 0, write, sector);
        return bytes.equals(expected);
      });
      if (is === undefined) {
        const wanted = allowed.map(String).join(' or ');
        throw new Error(
          `sector ${String(sector)} of slot ${String(this.index)} is not of write ${wanted}, but begins with ${bytes.toString('hex', 0, 16)}`,
        );
      }
      this.#sectors[sector] = is;
    }
    this.#isUnderWay = false;
  }

  /** Fills the sector `at` of `bytes` as write number `write` does; before the first it is zeroes. */
  #mark(bytes: Buffer, at: number, write: number, sector = at): void {
    const start = at * SECTOR_BYTES;
    bytes.fill((write * 7 + sector) & 0xff, start, start + SECTOR_BYTES);
    bytes.writeUInt32BE(this.index, start);
    bytes.writeUInt32BE(write, start + 4);
    bytes.writeUInt32BE(sector, start + SECTOR_BYTES - 4);
    if (write === 0) bytes.fill(0, start, start + SECTOR_BYTES);
  }
}
