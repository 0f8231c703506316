# A PSGI application without Plack: what it needs of Perl is in Debian's perl-base.
#   GET  /app/health          200 when Redis answers
#   GET  /app/counter/NAME    {"name":"NAME","value":N}
#   POST /app/counter/NAME    the same, after adding 1
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;

# One connection a process, kept: opened at the first request, after uWSGI has forked its workers.
my $redis;

sub redis_connection {
    # An idle connection that can be read from has been closed by the other side: Redis restarted. To find out before
    # writing matters, because an INCR that may or may not have arrived can not be sent again.
    undef $redis if $redis && IO::Select->new($redis)->can_read(0);
    $redis //= IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => 6379, Proto => 'tcp', Timeout => 30)
        or die "cannot connect to Redis: $@\n";
    return $redis;
}

# RESP: an array of bulk strings there, one line, or a bulk string, back.
sub redis {
    my @words = @_;
    my $socket = redis_connection();
    my $request = '*' . @words . "\r\n" . join '', map { '$' . length($_) . "\r\n$_\r\n" } @words;
    my $answer = eval {
        local $SIG{PIPE} = 'IGNORE';
        $socket->syswrite($request) == length $request or die "short write\n";
        read_reply($socket);
    };
    return $answer unless $@;
    undef $redis;
    die "cannot ask Redis: $@";
}

sub read_reply {
    my ($socket) = @_;
    my $line = read_line($socket);
    my $kind = substr $line, 0, 1, '';
    die "Redis says: $line\n" if $kind eq '-';
    return $line if $kind eq '+' || $kind eq ':';
    die "unexpected answer\n" if $kind ne '$';
    return undef if $line < 0;
    $socket->read(my $body, $line + 2) == $line + 2 or die "connection lost\n";
    return substr $body, 0, $line;
}

sub read_line {
    my ($socket) = @_;
    local $/ = "\r\n";
    my $line = $socket->getline // die "connection lost\n";
    chomp $line;
    return $line;
}

sub answer {
    my ($status, $json) = @_;
    return [$status, ['Content-Type' => 'application/json', 'Content-Length' => length $json], [$json]];
}

sub counter {
    my ($method, $name) = @_;
    return answer(405, '{"error":"method"}') unless $method eq 'GET' || $method eq 'POST';
    my $value = $method eq 'POST' ? redis('INCR', "counter:$name") : redis('GET', "counter:$name") // 0;
    return answer(200, qq({"name":"$name","value":$value}));
}

my $app = sub {
    my ($env) = @_;
    my $path = $env->{PATH_INFO} // '/';
    my $response = eval {
        if ($path eq '/app/health') { redis('PING') eq 'PONG' or die "no PONG\n"; answer(200, '{"ok":true}') }
        elsif ($path =~ m{\A/app/counter/([a-z0-9-]{1,64})\z}) { counter($env->{REQUEST_METHOD}, $1) }
        else { answer(404, '{"error":"unknown path"}') }
    };
    return $response if $response;
    warn $@;
    return answer(503, '{"error":"Redis"}');
};

$app;
