import {
  encodeInfoRequest,
  InfoType,
  OptionReplyType,
  parseInfoBlockSize,
  parseInfoDescription,
  parseInfoExport,
  parseInfoName,
  type BlockSize,
  type InfoExport,
} from '@holdfast/nbd-protocol';
import { NbdProtocolError } from '../../errors/protocol-error.js';
import { INFOS_MAX } from '../../limits.js';
import { checkBlockSize, checkTransmissionFlags, type ExportInfo } from '../export-info.js';
import { malformedReply, tooManyReplies, unexpectedReply, type OptionExchange } from '../option-exchange.js';

/** Everything there is to know; whoever asks for block sizes promises to keep to them. */
const WANTED = new Set([InfoType.NAME, InfoType.DESCRIPTION, InfoType.BLOCK_SIZE]);

const TYPE_BYTES = 2;

interface Infos {
  facts?: InfoExport;
  canonicalName?: string;
  description?: string;
  blockSize?: BlockSize;
}

/** INFO and GO: NBD_INFO replies, then the ACK (section "Option types"). */
export function infoOption(option: 'INFO' | 'GO', exportName: string): OptionExchange<ExportInfo> {
  const infos: Infos = {};
  let count = 0;
  return {
    option,
    data: encodeInfoRequest({ exportName, infoTypes: WANTED }),
    take: (type, data) => {
      if (type !== OptionReplyType.INFO) throw unexpectedReply(option, type);
      if (count === INFOS_MAX) throw tooManyReplies(option, INFOS_MAX);
      count += 1;
      takeInfo(infos, option, data);
    },
    finish: () => {
      const { facts } = infos;
      if (facts === undefined) throw new NbdProtocolError('missing-export-info');
      return {
        name: exportName,
        canonicalName: infos.canonicalName,
        description: infos.description,
        sizeBytes: facts.sizeBytes,
        transmissionFlags: facts.transmissionFlags,
        blockSize: infos.blockSize,
      };
    },
    after: option === 'GO' ? 'transmission' : 'options',
  };
}

/** "A client … MUST ignore information types that it does not recognize." */
function takeInfo(infos: Infos, option: 'INFO' | 'GO', data: Uint8Array): void {
  if (data.length < TYPE_BYTES) throw malformedReply(option);
  const read = <Info>(info: Info | 'malformed'): Info => {
    if (info === 'malformed') throw malformedReply(option);
    return info;
  };
  switch (new DataView(data.buffer, data.byteOffset).getUint16(0)) {
    case InfoType.EXPORT:
      infos.facts = read(parseInfoExport(data));
      checkTransmissionFlags(infos.facts.transmissionFlags);
      return;
    case InfoType.NAME:
      infos.canonicalName = read(parseInfoName(data)).name;
      return;
    case InfoType.DESCRIPTION:
      infos.description = read(parseInfoDescription(data)).description;
      return;
    case InfoType.BLOCK_SIZE:
      infos.blockSize = read(parseInfoBlockSize(data));
      checkBlockSize(infos.blockSize);
  }
}
