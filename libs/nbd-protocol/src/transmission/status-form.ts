import { ChunkType } from '../constants/chunk-types.js';
import {
  BLOCK_STATUS_DESCRIPTOR_BYTES,
  BLOCK_STATUS_START_BYTES,
  encodeBlockStatusDescriptor,
  encodeBlockStatusStart,
} from './messages/block-status.js';
import {
  BLOCK_STATUS_EXT_DESCRIPTOR_BYTES,
  BLOCK_STATUS_EXT_START_BYTES,
  encodeBlockStatusExtDescriptor,
  encodeBlockStatusExtStart,
} from './messages/block-status-ext.js';

/** How a chunk tells block status. Each form is written as it is, never converted from the other (B1, B2). */
export interface StatusForm {
  readonly chunkType: number;
  /** Bytes before the descriptors. */
  readonly startBytes: number;
  readonly descriptorBytes: number;
  /**
   * Longest extent that a descriptor can tell, bytes, and a multiple of every minimum block size. An extent that a
   * request asked for whole is never longer.
   */
  readonly extentBytesMax: number;
  readonly encodeStart: (view: DataView, at: number, contextId: number, count: number) => void;
  readonly encodeDescriptor: (
    view: DataView,
    at: number,
    length: number,
    flagsHigh: number,
    flagsLow: number,
  ) => void;
}

/** BLOCK_STATUS, with structured replies. Contexts whose flags have more than 32 bits are not selected then (B5). */
export const compactStatus: StatusForm = {
  chunkType: ChunkType.BLOCK_STATUS,
  startBytes: BLOCK_STATUS_START_BYTES,
  descriptorBytes: BLOCK_STATUS_DESCRIPTOR_BYTES,
  extentBytesMax: 0xffff_0000,
  encodeStart: encodeBlockStatusStart,
  encodeDescriptor: (view, at, length, _flagsHigh, flagsLow) => {
    encodeBlockStatusDescriptor(view, at, length, flagsLow);
  },
};

/** BLOCK_STATUS_EXT, with extended headers. */
export const extendedStatus: StatusForm = {
  chunkType: ChunkType.BLOCK_STATUS_EXT,
  startBytes: BLOCK_STATUS_EXT_START_BYTES,
  descriptorBytes: BLOCK_STATUS_EXT_DESCRIPTOR_BYTES,
  extentBytesMax: Infinity,
  encodeStart: encodeBlockStatusExtStart,
  encodeDescriptor: encodeBlockStatusExtDescriptor,
};
