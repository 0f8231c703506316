# Reads systemd's unit files: where they are, what is in them, and how their command lines are split.
# Sources: systemd.unit(5), systemd.syntax(7), systemd.service(5), "Command lines".
package Unit;
use strict;
use warnings;

# Everything below a folder of one's own is how the tests run it beside a real system.
our $ROOT = $ENV{HARNESS_ROOT} // '';
our @FOLDERS = map { "$ROOT$_/systemd/system" } qw(/etc /run /usr/local/lib /lib);

# `nginx` means `nginx.service`.
sub full_name {
    my ($name) = @_;
    return $name =~ /\.(?:service|socket|target|timer|mount|path|slice|scope|device|swap|automount)$/ ? $name : "$name.service";
}

# A unit as its files say now: { name, file, instance, options => { 'Service.ExecStart' => [...] } }. undef: there is none.
sub load {
    my $name = full_name($_[0]);
    my ($file) = grep { -e || -l } map {"$_/$name"} @FOLDERS;
    my $instance = $name =~ /^[^@]+@(.+)\.\w+$/ ? $1 : '';
    ($file) = grep { -e } map { (my $template = $name) =~ s/@.+(\.\w+)$/\@$1/; "$_/$template" } @FOLDERS
        if !defined $file && $instance ne '';
    return undef if !defined $file;
    my %unit = (name => $name, file => $file, instance => $instance, options => {});
    if (-l $file) {
        my $target = readlink $file;
        return { %unit, masked => 1 } if $target eq '/dev/null';
        # An alias: redis.service is a link to redis-server.service.
        my ($real) = $target =~ m{([^/]+\.\w+)$};
        return load($real) if defined $real && $real ne $name && $real !~ /@\./;
    }
    read_file($unit{options}, $file);
    for my $folder (reverse @FOLDERS) { read_file($unit{options}, $_) for sort glob "$folder/$name.d/*.conf" }
    return \%unit;
}

sub read_file {
    my ($options, $file) = @_;
    open my $in, '<', $file or die "cannot read $file: $!\n";
    my ($section, $line) = ('', '');
    while (defined(my $part = <$in>)) {
        chomp $part;
        next if $part =~ /^\s*[#;]/;
        $line .= $part;
        next if $line =~ s/\\$/ /;
        if ($line =~ /^\s*\[(.+)\]\s*$/) { $section = $1 }
        elsif ($line =~ /^\s*([A-Za-z0-9]+)\s*=\s*(.*?)\s*$/) {
            # An empty value takes back what was said before.
            if ($2 eq '') { $options->{"$section.$1"} = [] }
            else { push @{ $options->{"$section.$1"} }, $2 }
        }
        $line = '';
    }
}

# All values of an option of [Service], or of `Section.Option`, with specifiers replaced.
sub all {
    my ($unit, $key) = @_;
    $key = "Service.$key" if $key !~ /\./;
    return map { specified($unit, $_) } @{ $unit->{options}{$key} // [] };
}

# The last value of an option, or what it is otherwise.
sub one {
    my ($unit, $key, $otherwise) = @_;
    my @values = all($unit, $key);
    return @values ? $values[-1] : $otherwise;
}

sub yes { my ($unit, $key, $otherwise) = @_; return one($unit, $key, $otherwise ? 'yes' : 'no') =~ /^(?:yes|true|on|1)$/i }

# Seconds of a time such as `90`, `5s`, `1min 30s`, `500ms`; `infinity` and 0 are undef: no limit.
sub seconds {
    my ($text) = @_;
    return undef if $text eq 'infinity';
    my %unit = ('' => 1, s => 1, sec => 1, ms => 0.001, us => 0.000001, m => 60, min => 60, h => 3600, hr => 3600, d => 86400);
    my $sum = 0;
    $sum += $1 * ($unit{$2} // 1) while $text =~ /([\d.]+)\s*([a-z]*)/g;
    return $sum > 0 ? $sum : undef;
}

sub specified {
    my ($unit, $text) = @_;
    my ($stem) = $unit->{name} =~ /^(.*)\.\w+$/;
    my ($prefix) = $stem =~ /^([^@]*)/;
    my %value = (
        n => $unit->{name}, N => $stem, p => $prefix, P => $prefix, i => $unit->{instance}, I => $unit->{instance},
        t => "$ROOT/run", S => '/var/lib', C => '/var/cache', L => '/var/log', E => '/etc', T => '/tmp', V => '/var/tmp',
        h => '/root', u => 'root', U => 0, '%' => '%',
    );
    $text =~ s/%(.)/exists $value{$1} ? $value{$1} : "%$1"/ge;
    return $text;
}

# A line as words: quotes group, a backslash escapes.
sub words {
    my ($line) = @_;
    my %escape = (n => "\n", t => "\t", r => "\r", s => ' ', a => "\a", b => "\b", f => "\f", v => "\x0b");
    my @words;
    while ($line =~ /\G\s*(\S)/gc) {
        pos($line) -= 1;
        my $word = '';
        while ($line =~ /\G(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|\\(x[0-9a-fA-F]{2}|.)|([^\s"'\\]+))/gcs) {
            my $part = $1 // $2 // $4 // "\\$3";
            $part =~ s/\\(x([0-9a-fA-F]{2})|.)/defined $2 ? chr hex $2 : $escape{$1} \/\/ $1/gse if !defined $4;
            $word .= $part;
        }
        push @words, $word;
        last if $line =~ /\G["'\\]/;
    }
    return @words;
}

# argv of a command line: `$NAME` alone becomes several words, `${NAME}` is replaced where it stands.
sub argv {
    my ($line, $environment) = @_;
    return map {
        my $word = $_;
        if ($word =~ /^\$([A-Za-z_]\w*)$/) { split ' ', $environment->{$1} // '' }
        else { $word =~ s/\$(?:\{([A-Za-z_]\w*)\}|(\$))/defined $2 ? '$' : $environment->{$1} \/\/ ''/ge; $word }
    } words($line);
}

1;
