# Runs a command on a machine under test, as an ordinary user, and tells what it prints while it prints it.
#
# perl runner.pl BASE USER COOKIE SECONDS LIMIT NAME=VALUE... -- COMMAND [ARGUMENT...]
#
# On standard output a line a chunk: `o` or `e` (the command's standard output or standard error) and base64; at the end `x`
# and how it ended as JSON. Only Debian's perl-base is needed.
use strict;
use warnings;
use Errno ();
use POSIX ();
use Fcntl qw(F_GETFL F_SETFL O_NONBLOCK);

my ($base, $user, $cookie, $seconds, $limit, @rest) = @ARGV;
my %env = (PATH => '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG => 'C.UTF-8', SHELL => '/bin/sh');
while (@rest && $rest[0] ne '--') { my ($name, $value) = split /=/, shift @rest, 2; $env{$name} = $value }
shift @rest;
my @command = @rest;
%env = (%env, HOME => "$base/home", USER => $user, LOGNAME => $user, HARNESS_COMMAND => $cookie);

# Base64 out of uuencoding: MIME::Base64 is not in perl-base.
sub encoded {
  my $text = pack 'u', $_[0];
  $text =~ s/^.//mg;
  $text =~ s/\n//g;
  $text =~ tr{`!-_}{A-Za-z0-9+/};
  my $padding = (3 - length($_[0]) % 3) % 3;
  substr($text, -$padding) = '=' x $padding if $padding;
  return $text;
}

# What makes itself a daemon becomes a child of this process, whatever it does to its environment: prctl(2) of
# PR_SET_CHILD_SUBREAPER, by the number that each architecture has for it.
my %prctl = (x86_64 => 157, aarch64 => 167, ppc64le => 171, ppc64 => 171, s390x => 172, riscv64 => 167, loongarch64 => 167,
  i686 => 172, armv7l => 172);
my $machine = (POSIX::uname())[4];
syscall $prctl{$machine}, 36, 1, 0, 0, 0 if $prctl{$machine};

$| = 1;
$SIG{PIPE} = 'IGNORE';
pipe(my $out, my $out_end) or die "pipe: $!";
pipe(my $err, my $err_end) or die "pipe: $!";
# Closed by a successful exec; otherwise it holds why there was none.
pipe(my $why, my $why_end) or die "pipe: $!";
fcntl($_, F_SETFL, fcntl($_, F_GETFL, 0) | O_NONBLOCK) for $out, $err;

my $child = fork // die "fork: $!";
if ($child == 0) {
  $SIG{PIPE} = 'DEFAULT';
  POSIX::setsid();
  open STDIN, '<', '/dev/null';
  open STDOUT, '>&', $out_end;
  open STDERR, '>&', $err_end;
  my $failed = sub { syswrite $why_end, shift; POSIX::_exit(127) };
  if ($> == 0 && $user ne 'root') {
    my (undef, undef, $uid, $gid) = getpwnam $user or $failed->("there is no user $user");
    my @groups = ($gid);
    while (my (undef, undef, $id, $members) = getgrent) { push @groups, $id if grep { $_ eq $user } split ' ', $members }
    $) = join ' ', $gid, @groups;
    POSIX::setgid($gid);
    POSIX::setuid($uid);
    $failed->("cannot become $user: $!") if $> != $uid;
  }
  umask 022;
  chdir "$base/source" or $failed->("cannot enter $base/source: $!");
  %ENV = %env;
  { no warnings 'exec'; exec { $command[0] } @command }
  $failed->("$command[0]: $!");
}
close $_ for $out_end, $err_end, $why_end;

my ($started, $sent, $lost, $spoke) = (time, 0, 0, time);
my %open = (o => $out, e => $err);
my ($status, $late, $ended_at);
# Reads what there is; returns whether there was anything.
sub drain {
  my $any = 0;
  for my $name (sort keys %open) {
    my $count = sysread $open{$name}, my $chunk, 32768;
    if (!defined $count) { delete $open{$name} unless $!{EAGAIN} || $!{EINTR}; next }
    if ($count == 0) { delete $open{$name}; next }
    ($any, $spoke) = (1, time);
    my $room = $limit - $sent;
    if ($count > $room) { $lost += $count - ($room > 0 ? $room : 0); $chunk = substr $chunk, 0, $room > 0 ? $room : 0 }
    next if $chunk eq '';
    $sent += length $chunk;
    print $name, encoded($chunk), "\n";
  }
  return $any;
}
# What became a child of this process has to be waited for, too.
sub reap {
  while ((my $pid = waitpid(-1, POSIX::WNOHANG())) > 0) { $status = $? if $pid == $child }
}
until (defined $status) {
  my $bits = '';
  vec($bits, fileno $_, 1) = 1 for values %open;
  # Half a second at most: a command may close both and go on.
  select $bits, undef, undef, 0.5;
  drain();
  reap();
  # Of whole seconds: a difference of one may be a moment.
  if (!defined $status && time - $started > $seconds) { $late = 1; last }
}
# The processes that it started, also those that made themselves daemons: they descend from this one, or have its environment.
sub left {
  my (%parent, %name, %found);
  for my $place (glob '/proc/[0-9]*') {
    my ($pid) = $place =~ /(\d+)$/;
    next if $pid == $$;
    open my $stat, '<', "$place/stat" or next;
    my ($name, $state, $parent) = (do { local $/; <$stat> } // '') =~ /\((.*)\) (\S) (\d+)/s or next;
    # A zombie has ended.
    ($parent{$pid}, $name{$pid}) = ($parent, $name) if $state ne 'Z';
    open my $file, '<', "$place/environ" or next;
    local $/ = "\0";
    while (my $entry = <$file>) {
      $found{$pid} = 1 if $entry eq "HARNESS_COMMAND=$cookie\0" || $entry eq "HARNESS_COMMAND=$cookie";
    }
  }
  for my $pid (keys %parent) {
    my ($at, %seen) = ($pid);
    $at = $parent{$at} while $at != $$ && $parent{$at} && !$seen{$at}++;
    $found{$pid} = 1 if $at == $$;
  }
  return map { $_ => $name{$_} } grep { defined $name{$_} } keys %found;
}
# What it wrote before it ended is all in the pipes, which hold a MiB at most; what others go on writing is not waited for.
sub rest {
  for (1 .. 64) {
    my $bits = '';
    vec($bits, fileno $_, 1) = 1 for values %open;
    last unless %open && select($bits, undef, undef, 0) > 0;
    drain();
  }
}
rest();
my %left = $late ? () : left();
my @names = sort values %left;
my %asked;
for my $signal ('TERM', 'KILL') {
  last unless left();
  kill $signal, -$child if $late;
  for (1 .. 20) {
    drain();
    reap();
    my %still = left() or last;
    # Also those that were made meanwhile; each is asked once, and forced as often as need be.
    kill $signal, grep { $signal eq 'KILL' || !$asked{$_}++ } keys %still;
    select undef, undef, undef, 0.1;
  }
}
if (!defined $status) { kill 'KILL', $child; waitpid $child, 0; $status = $? }
rest();
local $/;
my $problem = <$why> // '';
# What is free: KiB, or files that can still be made. A file system that counts no files says that it has 0.
sub free { my ($all, $free) = `df $_[0] '$base' 2>/dev/null` =~ /\n\S+\s+(\d+)\s+\S+\s+(\d+)/; $all ? $free : 'null' }
sub text { my $value = shift; $value =~ s/([\\"])/\\$1/g; $value =~ s/([\x00-\x1f])/sprintf '\\u%04x', ord $1/ge; "\"$value\"" }
printf "x{\"exit\":%s,\"signal\":%s,\"late\":%s,\"silentSeconds\":%d,\"lostBytes\":%d,\"left\":[%s],\"problem\":%s,\"freeKib\":%s,\"freeFiles\":%s}\n",
  $status & 127 ? 'null' : $status >> 8, $status & 127 || 'null', $late ? 'true' : 'false', time - $spoke, $lost,
  join(',', map { text($_) } @names), $problem eq '' ? 'null' : text($problem), free('-Pk'), free('-Pi');
