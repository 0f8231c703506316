# Starts a command as a unit wants it: its user, environment, folders and limits. Sandboxing is the container's.
# Sources: systemd.exec(5), systemd.service(5).
package Command;
use strict;
use warnings;
use Fcntl qw(F_SETFD FD_CLOEXEC);
use POSIX ();
use Unit;

my @DIRECTORIES = ([Runtime => '/run'], [State => '/var/lib'], [Cache => '/var/cache'], [Logs => '/var/log'], [Configuration => '/etc']);

# { name, uid, gid, home } of the user that the unit runs as; undef: as whoever runs us.
sub user_of {
    my ($unit) = @_;
    my $name = Unit::one($unit, 'User', '');
    my $group = Unit::one($unit, 'Group', '');
    return undef if $name eq '' && $group eq '';
    my @entry = $name =~ /^\d*$/ ? getpwuid($name eq '' ? $< : $name) : getpwnam $name;
    die "there is no user $name\n" if !@entry;
    my $gid = $group eq '' ? $entry[3] : $group =~ /^\d+$/ ? $group : getgrnam $group;
    die "there is no group $group\n" if !defined $gid;
    return { name => $entry[0], uid => $entry[2], gid => $gid, home => $entry[7] };
}

# Makes RuntimeDirectory= and the like; returns their variables.
sub make_directories {
    my ($unit, $user) = @_;
    my %variables;
    for (@DIRECTORIES) {
        my ($kind, $base) = @$_;
        my @paths = map {"$Unit::ROOT$base/$_"} map { split ' ' } Unit::all($unit, "${kind}Directory");
        for my $path (@paths) {
            my $made = '';
            for my $part (split m{/}, $path) { $made .= "$part/"; mkdir $made, 0755 }
            chmod oct(Unit::one($unit, "${kind}DirectoryMode", '0755')), $path;
            chown $user->{uid}, $user->{gid}, $path if $user;
        }
        $variables{ uc "${kind}_DIRECTORY" } = join ':', @paths if @paths;
    }
    return %variables;
}

sub remove_runtime_directory {
    my ($unit) = @_;
    return if Unit::yes($unit, 'RuntimeDirectoryPreserve', 0);
    system 'rm', '-rf', '--', "$Unit::ROOT/run/$_" for map { split ' ' } Unit::all($unit, 'RuntimeDirectory');
}

# What the unit's own files and lines say, over what every unit has.
sub environment_of {
    my ($unit, $user, %more) = @_;
    my %environment = (PATH => '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG => 'C.UTF-8', %more);
    @environment{qw(USER LOGNAME HOME)} = (@$user{qw(name name home)}) if $user;
    for (map { Unit::words($_) } Unit::all($unit, 'Environment')) { $environment{$1} = $2 if /^(\w+)=(.*)$/s }
    for my $file (Unit::all($unit, 'EnvironmentFile')) {
        my $optional = $file =~ s/^-//;
        open my $in, '<', $file or ($optional ? next : die "cannot read $file: $!\n");
        while (<$in>) { $environment{$1} = join ' ', Unit::words($2) if /^\s*(\w+)=(.*?)\s*$/ }
    }
    return \%environment;
}

# Starts a command line of a unit with its output going to a handle. Returns its pid; dies with the reason when it cannot.
sub start {
    my ($unit, $line, $output, %more) = @_;
    my ($flags) = $line =~ /^([-\@:+!|]*)/;
    $line =~ s/^[-\@:+!|]+//;
    my $user = user_of($unit);
    my $environment = environment_of($unit, $user, make_directories($unit, $user), %more);
    my @argv = Unit::argv($line, $environment);
    my $program = $argv[0] // die "the command line is empty\n";
    shift @argv if $flags =~ /@/;
    undef $user if $flags =~ /[+!]/;
    pipe my $told, my $tell or die "cannot make a pipe: $!\n";
    my $pid = fork // die "cannot fork: $!\n";
    if ($pid == 0) {
        my $done = eval { become($unit, $user, $output); 1 };
        if ($done) {
            fcntl $tell, F_SETFD, FD_CLOEXEC;
            %ENV = %$environment;
            my $files = Unit::one($unit, 'LimitNOFILE', '');
            # The shell's own limit goes to what it becomes; a limit that may not be raised stays as it is.
            ($program, @argv) = ('/bin/sh', 'sh', '-c', 'ulimit -n "$1" 2>/dev/null; shift; exec "$@"', 'sh', $1, $program, @argv[1 .. $#argv])
                if $files =~ /^(\d+)/;
            exec {$program} @argv or $@ = "cannot execute $program: $!\n";
        }
        syswrite $tell, $@;
        POSIX::_exit(203);
    }
    close $tell;
    my $problem = do { local $/; <$told> };
    return $pid if !defined $problem || $problem eq '';
    waitpid $pid, 0;
    die $problem;
}

# Turns the child into what the unit wants.
sub become {
    my ($unit, $user, $output) = @_;
    POSIX::setsid();
    $SIG{$_} = 'DEFAULT' for qw(TERM INT HUP PIPE CHLD);
    open STDIN, '<', '/dev/null';
    open STDOUT, '>&', $output or die "cannot write to the journal: $!\n";
    open STDERR, '>&', $output or die "cannot write to the journal: $!\n";
    umask oct Unit::one($unit, 'UMask', '0022');
    if ($user) {
        my @groups = map { scalar getgrnam $_ } map { split ' ' } Unit::all($unit, 'SupplementaryGroups');
        while (my @group = getgrent) { push @groups, $group[2] if grep { $_ eq $user->{name} } split ' ', $group[3] }
        $) = join ' ', $user->{gid}, $user->{gid}, grep {defined} @groups;
        $( = $user->{gid};
        ($<, $>) = ($user->{uid}, $user->{uid});
        die "cannot become $user->{name}: $!\n" if $> != $user->{uid} || $< != $user->{uid};
    }
    my $folder = Unit::one($unit, 'WorkingDirectory', '/');
    my $optional = $folder =~ s/^-//;
    $folder = $user ? $user->{home} : '/root' if $folder eq '~';
    chdir $folder or $optional or die "cannot enter $folder: $!\n";
}

1;
