# Waits for whatever comes: what can be read, and processes that end.
package Loop;
use strict;
use warnings;
use IO::Select;
use POSIX qw(:sys_wait_h);
use Time::HiRes qw(time);

my $select = IO::Select->new;
my %handlers;    # what to do with a readable handle, by its file number
my %ended;       # exit status by pid, of processes that somebody waits for
my %waited;
our $on_end = sub { };    # called with pid and status of every process that ended

# A signal that is handled wakes select(2).
$SIG{CHLD} = sub { };

sub watch { my ($handle, $do) = @_; $select->add($handle); $handlers{ fileno $handle } = $do }

# Looks at a handle no more, and leaves it open.
sub forget { my ($handle) = @_; $select->remove($handle); delete $handlers{ fileno $handle } }

sub unwatch { my ($handle) = @_; forget($handle); close $handle }

# Waits for at most so many seconds and deals with whatever has come.
sub turn {
    my ($seconds) = @_;
    for my $handle ($select->can_read($seconds)) { my $do = $handlers{ fileno $handle // -1 } or next; $do->($handle) }
    while ((my $pid = waitpid -1, WNOHANG) > 0) {
        my $status = $?;
        $ended{$pid} = $status if delete $waited{$pid};
        $on_end->($pid, $status);
    }
}

# Deals with whatever comes until something holds; false when the time is up. No time: no limit.
sub until_true {
    my ($seconds, $holds) = @_;
    my $end = defined $seconds ? time + $seconds : undef;
    until ($holds->()) {
        return 0 if defined $end && time >= $end;
        turn(0.05);
    }
    return 1;
}

# The exit status of a process that was just started; undef when it did not end in time.
sub status_of {
    my ($pid, $seconds) = @_;
    $waited{$pid} = 1;
    until_true($seconds, sub { exists $ended{$pid} }) or return undef;
    return delete $ended{$pid};
}

1;
