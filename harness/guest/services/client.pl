#!/usr/bin/perl
# `systemctl` and `journalctl` where services are managed by manager.pl: what suites and people use of them, and a clear
# refusal of the rest.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use IO::Socket::UNIX;
use POSIX qw(strftime);
use Unit;

my $run = "$Unit::ROOT/run/harness";
my $program = $0 =~ m{([^/]+)$} ? $1 : $0;
exit($program eq 'journalctl' ? journalctl(@ARGV) : systemctl(@ARGV));

sub ask {
    my $socket = IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => "$run/control") or refuse("cannot reach the service manager: $!");
    my $request = join "\0", @_;
    print $socket pack('N', length $request), $request;
    $socket->flush;
    my ($code, $out, $error) = split /\0/, do { local $/; <$socket> } // '', 3;
    refuse('the service manager is gone') if !defined $error;
    return ($code, $out, $error);
}

sub refuse { print STDERR "$program: $_[0]\n"; exit 1 }

# Options and words of a command line; options with a value are named.
sub options {
    my ($with_value, @given) = @_;
    my (%options, @words);
    while (@given) {
        my $word = shift @given;
        if ($word eq '--') { push @words, @given; last }
        if ($word =~ /^--([\w-]+)=(.*)$/s) { push @{ $options{$1} }, $2 }
        elsif ($word =~ /^--([\w-]+)$/) { push @{ $options{$1} }, $1 =~ /^(?:$with_value)$/ ? shift @given : 1 }
        elsif ($word =~ /^-([a-zA-Z])(.*)$/s) { push @{ $options{$1} }, $2 ne '' ? $2 : $1 =~ /^(?:$with_value)$/ ? shift @given : 1 }
        else { push @words, $word }
    }
    return (\%options, @words);
}

sub systemctl {
    my ($options, $verb, @names) = options('p|property|s|signal|t|type|n|lines|o|output', @_);
    $verb //= 'list-units';
    my $quiet = $options->{q} || $options->{quiet};
    # The files are read anew whenever a service is started, and nothing is started by itself: of these only --now is left.
    $verb = $verb eq 'enable' ? 'start' : 'stop' if $options->{now} && $verb =~ /^(?:enable|disable)$/;
    if ($verb =~ /^(?:start|stop|restart|try-restart|reload|reload-or-restart|kill|reset-failed)$/) {
        refuse("$verb needs the name of a unit") if !@names && $verb ne 'reset-failed';
        my @signal = $verb eq 'kill' ? (($options->{s} // $options->{signal} // ['TERM'])->[0] =~ s/^SIG//r) : ();
        my ($code, $out, $error) = ask($verb, @signal, @names);
        print $out;
        print STDERR $error if !$quiet;
        return $code;
    }
    return 0 if $verb =~ /^(?:daemon-reload|enable|disable)$/;
    return print("running\n") && 0 if $verb eq 'is-system-running';
    return list_units($options) if $verb eq 'list-units' || $verb eq 'status' && !@names;
    refuse("there is no \"$verb\" without systemd") if $verb !~ /^(?:is-active|is-failed|status|show|cat)$/;
    refuse("$verb needs the name of a unit") if !@names;
    my $code = 0;
    my $good = 0;
    for my $line (split /\n/, (ask('show', @names))[1]) {
        my ($name, $state, $result, $main, $status, $restarts, $file, $description) = split /\t/, $line, -1;
        my $shown = $state =~ /^(?:not-found|masked)$/ ? 'inactive' : $state;
        if ($verb =~ /^is-(.*)/) { $good ||= $shown eq $1; print "$shown\n" if !$quiet }
        elsif ($verb eq 'cat') {
            open my $in, '<', $file or refuse("there is no file of $name");
            print "# $file\n", <$in>;
        }
        elsif ($verb eq 'show') { show($options, Id => $name, ActiveState => $shown, SubState => $shown eq 'active' ? ($main ? 'running' : 'exited') : $shown, MainPID => $main || 0, Result => $result, NRestarts => $restarts, FragmentPath => $file, Description => $description, LoadState => $state eq 'not-found' ? $state : $state eq 'masked' ? $state : 'loaded') }
        else {
            if ($state eq 'not-found') { print STDERR "Unit $name could not be found.\n"; $code = 4; next }
            print "$name - $description\n     Loaded: $file\n     Active: $state", $status ? " ($result: its last main process $status)" : '', "\n", $main ? "   Main PID: $main\n" : '';
            journal_lines({ unit => [$name], lines => [10] });
            $code ||= 3 if $state ne 'active';
        }
    }
    return $verb =~ /^is-/ ? ($good ? 0 : 3) : $code;
}

sub show {
    my ($options, @values) = @_;
    my %wanted = map { $_ => 1 } map { split /,/ } @{ $options->{p} // [] }, @{ $options->{property} // [] };
    while (my ($key, $value) = splice @values, 0, 2) {
        next if %wanted && !$wanted{$key};
        print $options->{value} ? "$value\n" : "$key=$value\n";
    }
}

sub list_units {
    my ($options) = @_;
    for my $line (split /\n/, (ask('list'))[1]) {
        my ($name, $state, $result, $main, $description) = split /\t/, $line, -1;
        next if $options->{failed} && $state ne 'failed';
        printf "%-30s %-12s %-10s %-7s %s\n", $name, $state, $result, $main, $description;
    }
    return 0;
}

sub journalctl {
    my ($options) = options('u|unit|n|lines|o|output|S|since|U|until|p|priority|t|identifier|g|grep', @_);
    refuse("there is no -$_ without systemd") for grep { exists $options->{$_} } qw(f follow S since U until g grep);
    journal_lines({ unit => [@{ $options->{u} // [] }, @{ $options->{unit} // [] }], lines => $options->{n} // $options->{lines}, output => $options->{o} // $options->{output} });
    return 0;
}

sub journal_lines {
    my ($options) = @_;
    my %units = map { Unit::full_name($_) => 1 } @{ $options->{unit} };
    my $output = ($options->{output} // ['short'])->[-1];
    open my $in, '<', "$run/journal" or refuse("cannot read the journal: $!");
    my @lines;
    while (<$in>) { my ($time, $unit) = split /\t/; push @lines, $_ if !%units || $units{$unit} }
    my $count = ($options->{lines} // ['all'])->[-1];
    @lines = splice @lines, -$count if $count =~ /^\d+$/ && $count < @lines;
    for (@lines) {
        chomp;
        my ($time, $unit, $text) = split /\t/, $_, 3;
        $unit =~ s/\.service$//;
        print $output eq 'cat' ? "$text\n" : $output =~ /^short-(?:monotonic|unix)$/ ? "[$time] $unit: $text\n" : strftime('%b %d %H:%M:%S', localtime $time) . " $unit: $text\n";
    }
}
