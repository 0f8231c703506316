/**
 * The harness's second channel into a guest: a program that answers requests on a virtio-serial port. It needs no
 * handshake and no network, so a guest resumed from a snapshot answers at once, while a fresh SSH connection takes a
 * second or two under emulation.
 *
 * A request is a line `KIND ID LENGTH` and LENGTH bytes; KIND is `sh` (run by a shell) or `perl` (evaluated by the
 * program itself, without another process; what it returns is the output). The answer is a line `ID EXIT LENGTH` and
 * LENGTH bytes of output. Requests are answered one after another.
 */
export const AGENT_SCRIPT = `#!/usr/bin/perl
use strict; use warnings; use Time::HiRes ();
sub port {
  for my $folder (glob '/sys/class/virtio-ports/*') {
    open(my $file, '<', "$folder/name") or next;
    return '/dev/' . substr($folder, rindex($folder, '/') + 1) if (<$file> // '') eq "harness.agent\\n";
  }
  return undef;
}
my $path;
Time::HiRes::sleep(0.1) until defined($path = port());
open(my $port, '+<', $path) or die "cannot open $path: $!";
binmode $port;
my $buffer = '';
# Nobody at the other end reads as the end of the file.
sub more { my $count = sysread($port, $buffer, 65536, length $buffer); Time::HiRes::sleep(0.1) unless $count; }
sub answer { my ($text) = @_; while (length $text) { my $count = syswrite($port, $text) or do { Time::HiRes::sleep(0.1); next }; substr($text, 0, $count) = ''; } }
while (1) {
  more() until $buffer =~ /\\n/;
  $buffer =~ s/^(.*?)\\n//s;
  next unless $1 =~ /(sh|perl) (\\d+) (\\d+)$/;
  my ($kind, $id, $length) = ($1, $2, $3);
  more() while length $buffer < $length;
  my $code = substr($buffer, 0, $length, '');
  my ($exit, $output) = (0, '');
  if ($kind eq 'perl') {
    $output = eval $code;
    ($exit, $output) = (1, $@) if $@;
    $output //= '';
  } elsif (defined(my $child = open(my $pipe, '-|'))) {
    if (!$child) { open(STDIN, '<', '/dev/null'); open(STDERR, '>&', \\*STDOUT); exec('sh', '-c', $code); exit 127; }
    local $/; $output = <$pipe> // ''; close $pipe;
    $exit = $? & 127 ? 128 + ($? & 127) : $? >> 8;
  } else { ($exit, $output) = (126, "cannot fork: $!"); }
  utf8::encode($output) if utf8::is_utf8($output);
  answer("$id $exit " . length($output) . "\\n" . $output);
}
`;
