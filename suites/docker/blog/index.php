<?php
// The whole blog: POST / writes a post, GET / lists them, one a line, newest first.
header('Content-Type: text/plain; charset=utf-8');
header('X-Served-By: ' . gethostname());
header('X-Version: ' . trim(file_get_contents(__DIR__ . '/version')));
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
try {
    $db = new mysqli('db', 'blog', getenv('DB_PASSWORD'), 'blog');
    $db->set_charset('utf8mb4');
    if ($_SERVER['REQUEST_METHOD'] === 'POST') {
        $insert = $db->prepare('insert into posts (title) values (?)');
        $insert->execute([file_get_contents('php://input')]);
        http_response_code(201);
        echo $db->insert_id, "\n";
    } else {
        foreach ($db->query('select id, title from posts order by id desc') as $post) {
            echo $post['id'], ' ', $post['title'], "\n";
        }
    }
} catch (mysqli_sql_exception $error) {
    http_response_code(503);
    echo $error->getMessage(), "\n";
}
