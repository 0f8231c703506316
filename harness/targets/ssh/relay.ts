import { createServer, type Socket } from 'node:net';
import { execa } from 'execa';
import { dieWithParent } from '../../base/process.ts';
import { commandArguments, type SshAddress } from '../shared/ssh-connection.ts';
import { socketBeside } from '../shared/ssh-socket.ts';

/** Relays a socket of the machine until it is closed. Works with Debian's smallest system. */
const RELAY = `
my $socket = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "cannot connect to $ARGV[0]: $!\\n";
my $select = IO::Select->new($socket, \\*STDIN);
while (my @ready = $select->can_read) {
  for my $in (@ready) {
    my $size = sysread($in, my $bytes, 65536);
    if (!$size) {
      exit if $in == $socket;
      # A client that has sent everything may still want the answer.
      $select->remove($in); shutdown($socket, 1); next;
    }
    for (my ($out, $at) = ($in == $socket ? \\*STDOUT : $socket, 0); $at < $size;) {
      my $done = syswrite($out, $bytes, $size - $at, $at);
      defined $done or exit 1;
      $at += $done;
    }
  }
}`;

/**
 * Opens root's sockets of a machine for a user who is not root: ssh's own forwarding connects as the user, who may not
 * use them. So each connection is a command that root runs.
 * @param asRoot prefix that runs a command as root.
 * @returns a function that opens a socket on this host to one of the machine, for the life of this process, and returns
 * its path.
 */
export function rootSockets(address: SshAddress, asRoot: readonly string[]): (remotePath: string) => Promise<string> {
  const opened = new Map<string, Promise<string>>();
  return (remotePath) => {
    const known = opened.get(remotePath) ?? listen(address, asRoot, remotePath);
    opened.set(remotePath, known);
    known.catch(() => opened.delete(remotePath));
    return known;
  };
}

function listen(address: SshAddress, asRoot: readonly string[], remotePath: string): Promise<string> {
  // Several processes may use the machine.
  const path = `${socketBeside(address, remotePath)}.${process.pid}`;
  const server = createServer({ allowHalfOpen: true }, (socket) => relay(socket, address, asRoot, remotePath));
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      // It need not be awaited: it ends with the process.
      server.unref();
      resolve(path);
    });
  });
}

function relay(socket: Socket, address: SshAddress, asRoot: readonly string[], remotePath: string): void {
  const command = [...asRoot, 'perl', '-MIO::Socket::UNIX', '-MIO::Select', '-e', RELAY, remotePath];
  const [program, ...args] = dieWithParent(commandArguments(address, command));
  const child = execa(program!, args, { reject: false, buffer: false, stderr: 'ignore' });
  socket.pipe(child.stdin);
  child.stdout.pipe(socket);
  // Either end may close first; the other one is notified.
  child.stdin.on('error', () => {});
  socket.on('error', () => child.kill());
  socket.on('close', () => child.kill());
}
