#!/usr/bin/perl
# Runs the services of systemd's unit files where there is no systemd: the first process of a container. `systemctl` and
# `journalctl` (client.pl) ask it over a socket. It starts nothing by itself. Jobs are done one after the other; questions
# are answered at any time.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use Errno qw(EINTR);
use IO::Socket::UNIX;
use Journal;
use Loop;
use Service;
use Unit;

my $run = "$Unit::ROOT/run/harness";
my $JOBS = qr/^(?:start|stop|restart|try-restart|reload|reload-or-restart|kill|reset-failed)$/;
my @jobs;        # requests that change something, each [connection, verb, arguments…]
my $leaving = 0;

mkdir $_, 0755 for "$Unit::ROOT/run", $run;
unlink "$run/control";
my $control = IO::Socket::UNIX->new(Type => SOCK_STREAM, Local => "$run/control", Listen => 16)
    or die "cannot listen on $run/control: $!\n";
chmod 0600, "$run/control";
Loop::watch($control, \&accept_request);
Journal::open_log("$run/journal");
Journal::take_syslog() if $$ == 1;
$SIG{PIPE} = 'IGNORE';
$SIG{$_} = sub { $leaving = 1 } for qw(TERM INT);
Journal::note('harness', "services are managed by process $$");

until ($leaving) {
    Loop::turn(1);
    while (my $job = !$leaving && shift @jobs) {
        my ($connection, $verb, @rest) = @$job;
        my @done = attempt(\&perform, $verb, @rest);
        # What services said meanwhile is in the journal before anybody is told how the job ended.
        Loop::turn(0);
        answer($connection, @done);
    }
    Service::look_after();
}
for (Service::known()) { eval { Service::stop($_->{name}) } }
Journal::note('harness', 'all services are stopped');

sub accept_request {
    my $connection = $control->accept or return;
    my $request = '';
    Loop::watch($connection, sub {
        my $got = sysread $connection, $request, 65536, length $request;
        return if !defined $got && $! == EINTR;
        return Loop::unwatch($connection) if !$got;
        return if length $request < 4 || length $request < 4 + unpack 'N', $request;
        Loop::forget($connection);
        my ($verb, @rest) = split /\0/, substr($request, 4), -1;
        return push @jobs, [$connection, $verb, @rest] if $verb =~ $JOBS;
        answer($connection, attempt(\&inquire, $verb, @rest));
    });
}

# What was asked for: exit code, output, errors.
sub attempt {
    my ($do, @rest) = @_;
    my @answer = eval { $do->(@rest) };
    return $@ ? (1, '', $@) : @answer;
}

sub answer {
    my ($connection, $code, $out, $error) = @_;
    $connection->blocking(1);
    print $connection join "\0", $code, $out // '', $error // '';
    close $connection;
}

sub perform {
    my ($verb, @names) = @_;
    if ($verb eq 'reset-failed') { $_->{state} = 'inactive' for grep { $_->{state} eq 'failed' } Service::known(); return (0, '', '') }
    my @signal = $verb eq 'kill' ? shift @names : ();
    my %wanted;
    for my $name (@names) {
        my $service = Service::of($name) or return (5, '', 'Unit ' . Unit::full_name($name) . " not found.\n");
        $wanted{ $service->{name} } = $service;
    }
    my ($code, $errors) = (0, '');
    for my $name (Service::ordered(keys %wanted)) {
        next if eval { one_job($verb, $wanted{$name}, @signal); 1 };
        Journal::note($name, $@);
        $code = 1;
        $errors .= "Job for $name failed: $@";
    }
    return ($code, '', $errors);
}

sub one_job {
    my ($verb, $service, @signal) = @_;
    my $name = $service->{name};
    my $active = $service->{state} eq 'active';
    return kill $signal[0], Service::members($service) if $verb eq 'kill';
    return Service::start($name) if $verb eq 'start';
    return Service::stop($name) if $verb eq 'stop';
    return Service::reload($service) if $verb eq 'reload' || $verb eq 'reload-or-restart' && $active;
    return if $verb eq 'try-restart' && !$active;
    Service::stop($name);
    Service::start($name);
}

# Questions, which change nothing.
sub inquire {
    my ($verb, @names) = @_;
    if ($verb eq 'list') {
        return (0, join('', map { join("\t", @$_{qw(name state result)}, $_->{main} // '', Unit::one($_->{unit}, 'Unit.Description', '')) . "\n" } Service::known()), '');
    }
    return (1, '', "there is no \"$verb\" without systemd\n") if $verb ne 'show';
    my $out = '';
    for my $name (@names) {
        my $service = Service::of($name);
        if (!$service) { $out .= join("\t", Unit::full_name($name), 'not-found', '', '', '', 0, '', '') . "\n"; next }
        my ($unit, $main) = @$service{qw(unit main)};
        $out .= join("\t", $service->{name}, $unit->{masked} ? 'masked' : $service->{state}, $service->{result}, $main // '', $service->{status} // '', $service->{restarts}, $unit->{file}, Unit::one($unit, 'Unit.Description', '')) . "\n";
    }
    return (0, $out, '');
}
