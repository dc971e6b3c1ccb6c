<?php
// SPDX-License-Identifier: GPL-2.0-only
// The page that each container serves: all that is in its database.
header('Content-Type: text/plain');
$db = new mysqli('localhost', 'www-data', '', 'shop');
foreach ($db->query('SELECT name FROM own') as $row)
	echo "own\t", $row['name'], "\n";
foreach ($db->query('SELECT id, title, text FROM article ORDER BY id') as $row)
	echo implode("\t", $row), "\n";
