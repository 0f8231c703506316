create database if not exists blog character set utf8mb4;
create user if not exists blog@'%' identified by 'correct horse';
grant all on blog.* to blog@'%';
create table if not exists blog.posts (id int auto_increment primary key, title varchar(200) not null) engine=InnoDB;
