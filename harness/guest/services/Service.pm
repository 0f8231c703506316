# What services do: start, stop, reload, end by themselves and are started again.
# Sources: systemd.service(5), systemd.kill(5), sd_notify(3).
package Service;
use strict;
use warnings;
use IO::Socket::UNIX;
use Time::HiRes qw(time);
use Command;
use Journal;
use Loop;
use Unit;

my %services;    # by full name: { name, unit, state, result, main, restarts, … }
$Loop::on_end = sub { my ($pid, $status) = @_; for (values %services) { main_ended($_, $status) if ($_->{main} // 0) == $pid } };

sub known { return map { $services{$_} } sort keys %services }

# The service of a unit, as it is remembered and as its files say now; undef when there is no such unit.
sub of {
    my ($asked) = @_;
    my $unit = Unit::load($asked) or return undef;
    my $service = $services{ $unit->{name} } //= { name => $unit->{name}, state => 'inactive', result => 'success', restarts => 0, recent => [] };
    $service->{unit} = $unit if !$service->{main} || !$service->{unit};
    return $service;
}

# Units in the order in which they are to be started: After= and Before= among them.
sub ordered {
    my @names = sort @_;
    my %after;
    for my $name (@names) {
        my $unit = $services{$name}{unit};
        $after{$name}{$_} = 1 for map { split ' ' } Unit::all($unit, 'Unit.After');
        $after{$_}{$name} = 1 for map { split ' ' } Unit::all($unit, 'Unit.Before');
    }
    my (@order, %seen);
    my $visit;
    $visit = sub {
        my ($name) = @_;
        return if $seen{$name}++;
        $visit->($_) for grep { $after{$name}{$_} } @names;
        push @order, $name;
    };
    $visit->($_) for @names;
    return @order;
}

sub start {
    my ($name, %path) = @_;
    my $service = of($name) or die "Unit $name not found.\n";
    my $unit = $service->{unit};
    return if $service->{state} eq 'active' || $path{$name}++;
    die "Unit $name is masked.\n" if $unit->{masked};
    die "$name is no service, and there is no systemd here to run it.\n" if $name !~ /\.(?:service|target)$/;
    delete $service->{restart_at};
    for my $other (ordered(map { $_->{name} } grep {defined} map { of($_) } grep {/\.service$/} map { split ' ' } Unit::all($unit, 'Unit.Requires'), Unit::all($unit, 'Unit.BindsTo'))) {
        start($other, %path);
    }
    return $service->{state} = 'active' if $name =~ /\.target$/;
    for my $condition (Unit::all($unit, 'Unit.ConditionPathExists')) {
        my ($not, $path) = $condition =~ /^(!?)\|?(.*)$/;
        return Journal::note($name, "not started: ConditionPathExists=$condition is not met") if !!(-e $path) == ($not eq '!');
    }
    @$service{qw(state result)} = ('activating', 'success');
    delete @$service{qw(main ready stopping)};
    my $type = Unit::one($unit, 'Type', Unit::all($unit, 'ExecStart') ? 'simple' : 'oneshot');
    my $limit = Unit::one($unit, 'TimeoutStartSec', Unit::one($unit, 'TimeoutSec', $type eq 'oneshot' ? 'infinity' : '90'));
    my $deadline = Unit::seconds($limit);
    my $done = eval {
        run_all($service, 'ExecStartPre', $deadline);
        start_main($service, $type, $deadline);
        run_all($service, 'ExecStartPost', $deadline);
        1;
    };
    if (!$done) {
        my $problem = $@;
        end_members($service, 'KILL');
        finish($service, 'failed');
        die $problem;
    }
    finish($service, 'inactive') if $type eq 'oneshot' && !Unit::yes($unit, 'RemainAfterExit', 0);
    $service->{state} = 'active' if $service->{state} eq 'activating';
    Journal::note($name, "started") if $service->{state} eq 'active';
}

sub start_main {
    my ($service, $type, $deadline) = @_;
    my ($name, $unit) = @$service{qw(name unit)};
    my @lines = Unit::all($unit, 'ExecStart');
    return run_all($service, 'ExecStart', $deadline) if $type eq 'oneshot';
    die "it has no ExecStart=\n" if !@lines;
    my %more = ($type =~ /^notify/ ? (NOTIFY_SOCKET => notify_socket($service)) : ());
    if ($type eq 'forking') {
        run_all($service, 'ExecStart', $deadline);
        my $file = Unit::one($unit, 'PIDFile', '');
        $file = "$Unit::ROOT/run/$file" if $file ne '' && $file !~ m{^/};
        # The file may be written after the first process has ended.
        Loop::until_true($deadline, sub { $service->{main} = $file eq '' ? (sort { $a <=> $b } members($service))[0] : pid_in($file) })
            or die "it did not say its pid in $file in time\n";
        return;
    }
    $service->{main} = Command::start($unit, $lines[0], Journal::pipe_for($name), %more);
    return if $type !~ /^notify/;
    Loop::until_true($deadline, sub { $service->{ready} || !$service->{main} }) or die "it did not say that it is ready in time\n";
    die "it ended before it was ready: $service->{result}\n" if !$service->{ready};
}

# Runs the lines of an option one after the other; a leading minus lets one fail.
sub run_all {
    my ($service, $option, $deadline) = @_;
    my $unit = $service->{unit};
    for my $line (Unit::all($unit, $option)) {
        my $pid = eval { Command::start($unit, $line, Journal::pipe_for($service->{name}), MAINPID => $service->{main} // '') };
        if (!$pid) { next if $line =~ /^[\@:+!]*-/; die $@ }
        push @{ $service->{started} }, $pid;
        my $status = Loop::status_of($pid, $deadline);
        if (!defined $status) { kill 'KILL', $pid; die "$option= did not end in time\n" }
        die "$option= " . how($status) . "\n" if $status != 0 && $line !~ /^[\@:+!]*-/;
    }
}

sub how { my ($status) = @_; return $status & 127 ? 'was ended by signal ' . ($status & 127) : 'exited with ' . ($status >> 8) }

sub notify_socket {
    my ($service) = @_;
    my $path = "$Unit::ROOT/run/harness/notify-$service->{name}";
    unlink $path;
    Loop::unwatch(delete $service->{notify}) if $service->{notify};
    my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $path) or die "cannot make $path: $!\n";
    # The service runs as whoever it wants.
    chmod 0777, $path;
    $service->{notify} = $socket;
    Loop::watch($socket, sub {
        defined $socket->recv(my $message, 65536) or return;
        $service->{ready} = 1 if $message =~ /^READY=1$/m;
        $service->{main} = $1 if $message =~ /^MAINPID=(\d+)$/m;
    });
    return $path;
}

sub pid_in {
    my ($file) = @_;
    open my $in, '<', $file or return undef;
    my ($pid) = (<$in> // '') =~ /^\s*(\d+)/;
    return defined $pid && -d "/proc/$pid" ? $pid : undef;
}

# The processes of a service: its main one, what came of it, and who shares a session with what was started for it.
sub members {
    my ($service) = @_;
    my %own = map { $_ => 1 } grep {$_} $service->{main}, @{ $service->{started} // [] };
    my %session = %own;
    my @all;
    for my $pid (map {m{(\d+)$}} glob '/proc/[0-9]*') {
        open my $in, '<', "/proc/$pid/stat" or next;
        my ($state, $parent, undef, $session) = split ' ', (<$in> // '') =~ s/^.*\) //r;
        push @all, [$pid, $parent, $session] if defined $session && $state ne 'Z';
    }
    my $found = 1;
    while ($found) {
        $found = 0;
        for (@all) { my ($pid, $parent, $session) = @$_; next if $own{$pid} || $pid == $$ || !($own{$parent} || $session{$session}); $own{$pid} = $found = 1 }
    }
    return grep { my $pid = $_; $own{$pid} } map { $_->[0] } @all;
}

sub end_members {
    my ($service, $signal) = @_;
    kill $signal, members($service);
    return Loop::until_true(10, sub { !members($service) });
}

sub stop {
    my ($name) = @_;
    my $service = of($name) or die "Unit $name not found.\n";
    my $unit = $service->{unit};
    delete $service->{restart_at};
    return $service->{state} = 'inactive' if $name =~ /\.target$/ || $service->{state} eq 'inactive' && !members($service);
    $service->{stopping} = 1;
    $service->{state} = 'deactivating';
    my $deadline = Unit::seconds(Unit::one($unit, 'TimeoutStopSec', Unit::one($unit, 'TimeoutSec', '90')));
    eval { run_all($service, 'ExecStop', $deadline); 1 } or Journal::note($name, $@) if $service->{main} || Unit::yes($unit, 'RemainAfterExit', 0);
    my $mode = Unit::one($unit, 'KillMode', 'control-group');
    my $signal = Unit::one($unit, 'KillSignal', 'SIGTERM') =~ s/^SIG//r;
    my @targets = $mode eq 'control-group' ? members($service) : $mode eq 'none' ? () : grep {$_} $service->{main};
    kill $signal, @targets if @targets;
    my $gone = Loop::until_true($mode eq 'none' ? 0 : $deadline, sub { $mode eq 'control-group' ? !members($service) : !$service->{main} });
    Journal::note($name, 'it did not end in time and is killed') if !$gone && $mode ne 'none';
    end_members($service, 'KILL') if $mode ne 'process' && $mode ne 'none';
    finish($service, 'inactive');
    Journal::note($name, 'stopped');
}

sub reload {
    my ($service) = @_;
    die "it is not active.\n" if $service->{state} ne 'active';
    die "it has no ExecReload=: reload is not applicable.\n" if !Unit::all($service->{unit}, 'ExecReload');
    run_all($service, 'ExecReload', Unit::seconds('90'));
}

# A main process has ended, by itself or because it was told to.
sub main_ended {
    my ($service, $status) = @_;
    delete $service->{main};
    my $clean = $status == 0 || grep { $_ == ($status & 127) } 1, 2, 13, 15;
    $service->{result} = $clean ? 'success' : $status & 127 ? 'signal' : 'exit-code';
    $service->{status} = how($status);
    return if $service->{stopping} || $service->{state} eq 'activating';
    Journal::note($service->{name}, 'its main process ' . how($status));
    $service->{end_due} = 1;
    my $policy = Unit::one($service->{unit}, 'Restart', 'no');
    my $wanted = $policy eq 'always' || $policy eq ($clean ? 'on-success' : 'on-failure') || !$clean && $status & 127 && $policy =~ /^on-(?:abnormal|abort)$/;
    $service->{state} = $clean ? 'inactive' : 'failed';
    $service->{restart_at} = time + (Unit::seconds(Unit::one($service->{unit}, 'RestartSec', '100ms')) // 0) if $wanted;
}

# What is left of services whose main process ended, and services to be started again; five times in ten seconds at most.
sub look_after {
    for my $service (values %services) {
        if (delete $service->{end_due}) { end_members($service, 'KILL'); finish($service, $service->{state}) }
        next if !defined $service->{restart_at} || $service->{restart_at} > time;
        delete $service->{restart_at};
        my $recent = $service->{recent};
        @$recent = grep { $_ > time - 10 } @$recent;
        if (@$recent >= 5) { $service->{state} = 'failed'; Journal::note($service->{name}, 'it was started too often and is left alone'); next }
        push @$recent, time;
        $service->{restarts}++;
        eval { start($service->{name}); 1 } or Journal::note($service->{name}, $@);
    }
}

sub finish {
    my ($service, $state) = @_;
    $service->{state} = $state;
    delete @$service{qw(main started ready)};
    Loop::unwatch(delete $service->{notify}) if $service->{notify};
    eval { run_all($service, 'ExecStopPost', 10); 1 } or Journal::note($service->{name}, $@);
    Command::remove_runtime_directory($service->{unit});
}

1;
