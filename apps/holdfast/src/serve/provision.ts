import { deviceName, exportName, gatewayV1, registryV1 } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import type { Instance } from '../client/instance.js';
import { isNotFound } from '../commands/common.js';
import { lastSegment } from '../output/size.js';
import type { Image } from './images.js';

/** How the images of a run are opened. */
export interface ImageMode {
  readonly readOnly: boolean;
  /** Past the page cache. */
  readonly directIo: boolean;
}

/**
 * Registers, attaches and exports the images of this run, and forgets those of runs before.
 *
 * @param note told what the user should know and what is no reason to stop
 */
export async function provision(
  instance: Instance,
  images: readonly Image[],
  mode: ImageMode,
  note: (sentence: string) => void,
): Promise<void> {
  await forgetEarlierRuns(instance, images, mode, note);
  for (const image of images) await provisionImage(instance, image, mode);
}

async function forgetEarlierRuns(
  instance: Instance,
  images: readonly Image[],
  mode: ImageMode,
  note: (sentence: string) => void,
): Promise<void> {
  const wanted = new Map(images.map((image) => [image.name, image.path]));
  const [devices, exports] = await Promise.all([instance.listDevices(), instance.listExports()]);
  const stale = devices.filter(
    (device) =>
      device.transient &&
      (wanted.get(lastSegment(device.name)) !== pathOf(device) || !isOpenedAs(device, mode)),
  );
  const staleNames = new Set(stale.map(({ name }) => name));
  for (const one of exports) {
    if (one.transient && staleNames.has(one.device)) await instance.exports.deleteExport({ name: one.name });
  }
  for (const { name } of stale) {
    await instance.devices.deleteDevice({ name }).catch((error: unknown) => {
      // The user has published it by another name, and can withdraw that only while this runs.
      if (!(error instanceof HoldfastError) || error.code !== 'DEVICE_IN_USE') throw error;
      note(`${lastSegment(name)} of an earlier run stays registered. ${error.message}`);
    });
  }
}

async function provisionImage(instance: Instance, image: Image, mode: ImageMode): Promise<void> {
  await registerDevice(instance, image, mode);
  await instance.devices.attachDevice({ name: deviceName.format(image.name) });
  await publish(instance, image, mode);
}

async function registerDevice(instance: Instance, image: Image, mode: ImageMode): Promise<void> {
  const { readOnly, directIo } = mode;
  const existing = await instance.devices
    .getDevice({ name: deviceName.format(image.name) })
    .catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
  if (existing === undefined) {
    await instance.devices.createDevice({
      deviceId: image.name,
      device: registryV1.Device.fromPartial({
        backing: { $case: 'file', value: { path: image.path, directIo } },
        readOnly,
        transient: true,
      }),
    });
  } else if (pathOf(existing) !== image.path || !isOpenedAs(existing, mode)) {
    throw new HoldfastError(
      'DEVICE_EXISTS',
      `a device "${image.name}" is registered already, with another path or mode; rename the image, or serve without it and remove the device by \`holdfast device remove\``,
      { device: image.name },
    );
  }
}

async function publish(instance: Instance, image: Image, { readOnly }: ImageMode): Promise<void> {
  const existing = await instance.exports
    .getExport({ name: exportName.format(image.name) })
    .catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
  if (existing !== undefined && existing.device !== deviceName.format(image.name)) {
    throw new HoldfastError(
      'EXPORT_EXISTS',
      `an export "${image.name}" exists already, of ${existing.device}; rename the image, or serve without it and remove the export by \`holdfast export remove\``,
      { export: image.name },
    );
  }
  if (existing !== undefined) return;
  await instance.exports.createExport({
    exportId: image.name,
    export: gatewayV1.Export.fromPartial({
      device: deviceName.format(image.name),
      readOnly,
      transient: true,
    }),
  });
}

function isOpenedAs({ backing, readOnly }: registryV1.Device, mode: ImageMode): boolean {
  const directIo = backing?.$case !== 'nbd' && backing?.value.directIo === true;
  return readOnly === mode.readOnly && directIo === mode.directIo;
}

/** Undefined for an export of another server. */
function pathOf({ backing }: registryV1.Device): string | undefined {
  return backing?.$case === 'nbd' ? undefined : backing?.value.path;
}
