import type { VirtioBus } from './types.ts';

export const VIRTIO_PCI: VirtioBus = { suffix: 'pci', modules: ['virtio_pci'], nicOptions: ',romfile=' };

/** The channels of a mainframe. The kernel has their driver built in; a card has no boot ROM. */
export const VIRTIO_CCW: VirtioBus = { suffix: 'ccw', modules: [], nicOptions: '' };
