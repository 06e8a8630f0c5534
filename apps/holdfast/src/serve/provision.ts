import { deviceName, exportName, gatewayV1, registryV1 } from '@holdfast/contracts';
import { HoldfastError } from '@holdfast/foundation';
import type { Instance } from '../client/instance.js';
import { isNotFound } from '../commands/common.js';
import { lastSegment } from '../output/size.js';
import type { Image } from './images.js';

/**
 * Registers, attaches and exports the images of this run, and forgets those of runs before.
 *
 * @param note told what the user should know and what is no reason to stop
 */
export async function provision(
  instance: Instance,
  images: readonly Image[],
  readOnly: boolean,
  note: (sentence: string) => void,
): Promise<void> {
  await forgetEarlierRuns(instance, images, readOnly, note);
  for (const image of images) await provisionImage(instance, image, readOnly);
}

async function forgetEarlierRuns(
  instance: Instance,
  images: readonly Image[],
  readOnly: boolean,
  note: (sentence: string) => void,
): Promise<void> {
  const wanted = new Map(images.map((image) => [image.name, image.path]));
  const [devices, exports] = await Promise.all([instance.listDevices(), instance.listExports()]);
  const stale = devices.filter(
    (device) =>
      device.transient &&
      (wanted.get(lastSegment(device.name)) !== pathOf(device) || device.readOnly !== readOnly),
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

async function provisionImage(instance: Instance, image: Image, readOnly: boolean): Promise<void> {
  await registerDevice(instance, image, readOnly);
  await instance.devices.attachDevice({ name: deviceName.format(image.name) });
  await publish(instance, image, readOnly);
}

async function registerDevice(instance: Instance, image: Image, readOnly: boolean): Promise<void> {
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
        backing: { $case: 'file', value: { path: image.path } },
        readOnly,
        transient: true,
      }),
    });
  } else if (pathOf(existing) !== image.path || existing.readOnly !== readOnly) {
    throw new HoldfastError(
      'DEVICE_EXISTS',
      `a device "${image.name}" is registered already, with another path or mode; rename the image, or serve without it and remove the device by \`holdfast device remove\``,
      { device: image.name },
    );
  }
}

async function publish(instance: Instance, image: Image, readOnly: boolean): Promise<void> {
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

/** Undefined for an export of another server. */
function pathOf({ backing }: registryV1.Device): string | undefined {
  return backing?.$case === 'nbd' ? undefined : backing?.value.path;
}
