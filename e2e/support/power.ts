import { openQmp } from '../../harness/targets/vm/qmp.ts';

/** `power.ts SOCKET off|on`: a power command of an inventory, for a VM that stands in for a real machine. */
const [socket, verb] = process.argv.slice(2);
if (socket === undefined || (verb !== 'off' && verb !== 'on')) throw new Error('usage: power.ts SOCKET off|on');
using qmp = await openQmp(socket, { deadlineMs: 10_000 });
if (verb === 'off') await qmp.execute('stop');
else {
  await qmp.execute('system_reset');
  await qmp.execute('cont');
}
