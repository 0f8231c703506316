/** A file, folder or link of a cpio archive. */
export type CpioEntry =
  | { readonly path: string; readonly mode?: number; readonly content: string | Uint8Array }
  | { readonly path: string; readonly folder: true; readonly mode?: number }
  | { readonly path: string; readonly link: string };

const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;

/**
 * A cpio archive in the `newc` format, owned by root, which a kernel unpacks as its initramfs. Kernels unpack several
 * concatenated archives, which is how a run adds its keys to a cached initramfs.
 * Source: Linux `Documentation/driver-api/early-userspace/buffer-format.rst`.
 */
export function cpio(entries: readonly CpioEntry[]): Buffer {
  const parts: Buffer[] = [];
  let inode = 1;
  for (const entry of entries) {
    const [mode, data] = modeAndData(entry);
    parts.push(header(inode++, mode, entry.path, data.length), padded(data));
  }
  parts.push(header(0, 0, 'TRAILER!!!', 0));
  return Buffer.concat(parts);
}

function modeAndData(entry: CpioEntry): [number, Buffer] {
  if ('folder' in entry) return [S_IFDIR | (entry.mode ?? 0o755), Buffer.alloc(0)];
  if ('link' in entry) return [S_IFLNK | 0o777, Buffer.from(entry.link)];
  return [S_IFREG | (entry.mode ?? 0o644), Buffer.from(entry.content)];
}

function header(inode: number, mode: number, path: string, size: number): Buffer {
  const name = Buffer.from(`${path}\0`);
  // inode, mode, uid, gid, links, mtime, size, device (2), special device (2), length of the name, check sum
  const fields = [inode, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name.length, 0];
  const text = `070701${fields.map((field) => field.toString(16).toUpperCase().padStart(8, '0')).join('')}`;
  return padded(Buffer.concat([Buffer.from(text), name]));
}

function padded(data: Buffer): Buffer {
  const missing = (4 - (data.length % 4)) % 4;
  return missing === 0 ? data : Buffer.concat([data, Buffer.alloc(missing)]);
}
