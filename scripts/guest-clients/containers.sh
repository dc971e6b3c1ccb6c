# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Containers of Apache, PHP and MariaDB for the test "containers"; source it
# after lib.sh.  They are started as Debian's systemd-container has it, and see
# the tree of the host, with what they write in memory of their own.
#
# shellcheck disable=SC2154 # variables of lib.sh

rows=8000
# for systemd in the containers: what to start, and what belongs to the host
start='systemd.wants=apache2.service systemd.wants=mariadb.service
	systemd.mask=ksm-tests.service systemd.mask=systemd-remount-fs.service'
start=$(tr -s '\n\t' ' ' <<<"$start")
services=(apache2 mariadb)
containers=()

# install_packages: ours, from the disk of the tests
install_packages()
{
	dpkg -i "$here"/ksm-preload_*.deb "$here"/ksm-tools_*.deb
}

# prepare_tree: what is the same in all containers.  The database is made once:
# they start with copies of it, as those do that come from one image.
prepare_tree()
{
	cat >/etc/mysql/mariadb.conf.d/99-containers.cnf <<-END
		[mariadbd]
		# what it writes to is in memory
		innodb_log_file_size = 8M
	END
	# Its check of all tables takes long here, at each start.
	mkdir -p /etc/systemd/system/mariadb.service.d
	printf '[Service]\nExecStartPost=\n' \
		>/etc/systemd/system/mariadb.service.d/start.conf
	rm -f /var/www/html/index.html
	cp "$here/containers.php" /var/www/html/index.php
	systemctl daemon-reload &&
		systemctl start mariadb && fill_database &&
		systemctl stop mariadb
}

fill_database()
{
	mariadb <<-END
		CREATE DATABASE shop;
		USE shop;
		CREATE TABLE own (name VARCHAR(20) PRIMARY KEY);
		CREATE TABLE article (id INT PRIMARY KEY, title VARCHAR(40),
			text TEXT);
		INSERT INTO article SELECT seq, MD5(seq), REPEAT(SHA2(seq, 256), 24)
			FROM seq_1_to_$rows;
		CREATE USER 'www-data'@localhost IDENTIFIED VIA unix_socket;
		GRANT SELECT ON shop.* TO 'www-data'@localhost;
	END
}

# container NAME: set it up and start it
container()
{
	local tree=/var/lib/machines/$1

	mkdir -p "$tree" /etc/systemd/nspawn
	mount --bind / "$tree" || return
	cat >"/etc/systemd/nspawn/$1.nspawn" <<-END
		[Exec]
		Boot=yes
		Parameters=$start
		PrivateUsers=no
		LinkJournal=no

		[Files]
		ReadOnly=yes
		Volatile=overlay

		[Network]
		Private=yes
		VirtualEthernet=no
	END
	containers+=("$1")
	systemctl start "systemd-nspawn@$1"
}

# inside NAME COMMAND...: as root in the container
inside()
{
	local leader

	leader=$(machinectl show --value -p Leader "$1") || return
	shift
	nsenter --target "$leader" --mount --uts --ipc --net --pid -- "$@"
}

# booted NAME: is it up, with all that belongs to it?
booted()
{
	[ "$(systemctl -M "$1" is-system-running)" = running ] &&
		serves "$1"
}

# serves NAME
serves()
{
	systemctl -M "$1" is-active "${services[@]}"
}

# boots NAME: wait for it, and give it a row of its own
boots()
{
	local end=$((SECONDS + 900))

	# to ask is work for the CPUs that it needs to boot
	until booted "$1" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || {
			systemctl -M "$1" --failed --no-legend --plain
			systemctl -M "$1" list-jobs
			inside "$1" journalctl --no-pager -n 20
			return 1
		}
		sleep 3
	done
	sql "$1" "INSERT INTO own VALUES ('$1')"
}

# sql NAME STATEMENT
sql()
{
	inside "$1" mariadb shop -e "$2"
}

# page_of NAME [ID]...: does it serve what it should, ID being the articles that
# were given its name?
page_of()
{
	local leader

	leader=$(machinectl show --value -p Leader "$1") || return
	nsenter --target "$leader" --net -- \
		python3 "$here/page.py" "$rows" "$@"
}

# dropin NAME WAY: have its services take part, and restart them
dropin()
{
	local service

	for service in "${services[@]}"; do
		"by_$2" "$service" | inside "$1" sh -c "
			cd /etc/systemd/system && mkdir -p $service.service.d &&
			cat >$service.service.d/ksm.conf" || return
	done
	systemctl -M "$1" daemon-reload &&
		systemctl -M "$1" restart "${services[@]}" && serves "$1"
}

by_preload()
{
	# shellcheck disable=SC2016 # for the dynamic linker
	printf '%s\n' '[Service]' \
		'Environment=LD_PRELOAD=/usr/$LIB/libksm_preload.so'
}

# by_prctl SERVICE: its own command, by "ksm run"
by_prctl()
{
	printf '%s\n' '[Service]' ExecStart=
	# with the lines that continue it
	sed -n '/^ExecStart=/ { :more; /\\$/ { N; b more }
		s,^ExecStart=,&/usr/bin/ksm run -- ,p }' \
		"/lib/systemd/system/$1.service"
}

# each_unit COMMAND: of systemctl, for the units that the containers are
each_unit()
{
	systemctl "$1" "${containers[@]/#/systemd-nspawn@}"
}

# end_containers: at once; what they wrote is gone with them
end_containers()
{
	local name

	[ ${#containers[@]} -gt 0 ] || return
	each_unit thaw
	systemctl kill -s KILL "${containers[@]/#/systemd-nspawn@}"
	each_unit stop
	for name in "${containers[@]}"; do
		# something of the host may still look at it
		umount --lazy "/var/lib/machines/$name"
	done
	containers=()
}
