import type { VirtioBus } from './types.ts';

export const VIRTIO_PCI: VirtioBus = { suffix: 'pci', modules: ['virtio_pci'], nicOptions: ',romfile=' };

/** The channels of a mainframe. Their driver is part of the kernel; a card has no ROM to start from. */
export const VIRTIO_CCW: VirtioBus = { suffix: 'ccw', modules: [], nicOptions: '' };
