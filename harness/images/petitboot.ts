import { PETITBOOT_FILES } from '../guest/petitboot.ts';
import { buildRamdisk } from './ramdisk.ts';

/**
 * The small Linux that blank machines without firmware of their own start from: a kernel, and a ramdisk that finds another
 * kernel on the network or the disk and starts it. debconf would bring Perl, for a question that nobody asks.
 */
export function buildPetitboot(
  request: Parameters<typeof buildRamdisk>[0],
): Promise<{ readonly kernel: string; readonly initrd: string }> {
  const files = PETITBOOT_FILES.map(({ path, content }) => ({ path, content: Buffer.from(content), mode: '0755' }));
  return buildRamdisk(request, { label: 'petitboot', packages: ['kexec-tools'], without: ['debconf'], files });
}
