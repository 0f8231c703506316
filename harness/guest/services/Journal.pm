# What services say: a line each, with time, unit and pid, in one file; and on our own output, which is the console.
package Journal;
use strict;
use warnings;
use IO::Handle;
use IO::Socket::UNIX;
use Socket;
use Time::HiRes qw(time);
use Loop;

my $log;

sub open_log {
    my ($file) = @_;
    open $log, '>>', $file or die "cannot write $file: $!\n";
    $log->autoflush(1);
    STDOUT->autoflush(1);
}

sub note {
    my ($unit, $text) = @_;
    chomp $text;
    for my $line (split /\n/, $text) {
        $line =~ tr/\t\r/  /;
        printf {$log} "%.6f\t%s\t%s\n", time, $unit, $line;
        (my $name = $unit) =~ s/\.service$//;
        print STDOUT "$name: $line\n";
    }
}

# A handle to write to; what is written is noted as the unit's, line by line.
sub pipe_for {
    my ($unit) = @_;
    pipe my $out, my $in or die "cannot make a pipe: $!\n";
    my $rest = '';
    Loop::watch($out, sub {
        my $got = sysread $out, $rest, 65536, length $rest;
        return if !defined $got;
        note($unit, $1) while $rest =~ s/^(.*)\n//;
        # A line without an end is no reason to keep all of it.
        if (!$got || length $rest > 65536) { note($unit, $rest) if $rest ne ''; $rest = '' }
        Loop::unwatch($out) if !$got;
    });
    return $in;
}

# Programs that log through syslog(3) find a socket where they look for one.
sub take_syslog {
    return if -e '/dev/log';
    my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => '/dev/log') or return;
    chmod 0666, '/dev/log';
    Loop::watch($socket, sub {
        defined $socket->recv(my $message, 65536) or return;
        $message =~ s/^<\d+>(?:\w{3} [ \d]\d [\d:]{8} )?//;
        my ($name, $text) = $message =~ /^([^\s:\[]+)(?:\[\d+\])?: (.*)$/s ? ($1, $2) : ('syslog', $message);
        note($name, $text);
    });
}

1;
