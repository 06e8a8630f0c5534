/** A regular file, or whatever block device the path opens. */
export interface FileBacking {
  readonly kind: 'file';
  /** Absolute path on the registry's machine. */
  readonly path: string;
  /** Read and written past the page cache; absent: through it. */
  readonly directIo?: true;
}

/** A loop device that the registry makes of a file, and that goes with the attachment. */
export interface LoopBacking {
  readonly kind: 'loop';
  /** Absolute path of the file. */
  readonly path: string;
  /** Where in the file the device starts, in bytes. */
  readonly offset: number;
  /** Size of the device in bytes; 0: to the end of the file. */
  readonly sizeLimit: number;
  /** Logical block size in bytes; 0: the kernel's choice. */
  readonly blockSize: number;
  readonly directIo: boolean;
}

/** What the user knows of a block device that must be the one meant; compared on the open descriptor (D9). */
export interface ExpectedDevice {
  /** 1 to 16 hexadecimal digits, lower case. */
  readonly diskseq?: string;
  /** The boot for which the diskseq was given: it counts from anew in the next one (D5). */
  readonly diskseqBootId?: string;
  readonly dmName?: string;
  readonly dmUuid?: string;
  readonly wwn?: string;
  readonly serial?: string;
}

/** A block device that is there already. */
export interface BlockBacking {
  readonly kind: 'block';
  /** Absolute path: a hint, what counts is `expected`. */
  readonly path: string;
  readonly expected: ExpectedDevice;
  /** As that of {@link FileBacking}. */
  readonly directIo?: true;
}

/** An export of another NBD server. */
export interface NbdBacking {
  readonly kind: 'nbd';
  /** With absolute paths only. */
  readonly uri: string;
  /** Whether requests that were not answered are sent again once the server is back, or fail. */
  readonly onDisconnect: 'replay' | 'fail';
  /** How long requests wait for the server before they fail, in milliseconds; with `fail` of no effect. */
  readonly reconnectMs: number;
}

/** What a device of this machine is made from: what can be opened. */
export type LocalBacking = FileBacking | LoopBacking | BlockBacking;

/** What a device is made from. */
export type DeviceBacking = LocalBacking | NbdBacking;

export type DeviceKind = DeviceBacking['kind'];

export const deviceKinds = ['file', 'loop', 'block', 'nbd'] as const satisfies readonly DeviceKind[];
