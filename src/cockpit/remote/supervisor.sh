# What a target's control shell knows: one function for each call, read from standard input, one a line.
#
# Standard output carries the answers, strictly in the order of the calls: a body of any bytes, then `$mark WORDS`.
# Standard error, here fd 3, carries what an attempt says when it ends, so that it can't land inside an answer.
# Set before: mark name lockname grace (in 1/100 s), and fence, the number with which this driver has the lock. The
# first call may come in the same breath: a shell that is unfit ends before it.
#
# $root/spool/$name/              one session's records
#   boot                          the boot in which it was made, or `anew` where earlier records were lost
#   KEY                           an attempt: when it is due and its id; its processes; how it ended. As a
#                                 directory: it never runs
#   KEY.out KEY.seen              its output; somebody has begun to pull it
#   KEY.stop KEY.late             it was ended because somebody asked; because its time was up
#   begun.PID                     what the control shell PID began, for its clock
# $root/locks/$lockname/N N.free  who drives the service: the highest N does, unless it gave the lock back

exec 3>&2 2>/dev/null
line() { printf '%s\n' "$*"; }
say() { line "$mark $*"; }
nap() { sleep 0.1 || sleep 1; }
clock() {
	read -r now a </proc/uptime
	now=${now%.*}${now#*.}
}

# Makes a file that isn't there yet. noclobber opens it with O_EXCL: as atomic as mkdir, but no process.
create() {
	set -C
	true >"$1"
	set -- $?
	set +C
	return "$1"
}

# born: when process $1 began, in ticks after the boot, since pids come again; fails for a zombie.
born() {
	born=
	read -r a <"/proc/$1/stat" || return 1
	set -- ${a##*) }
	born=${20}
	case $1 in Z | X) return 1 ;; esac
}

# status of the attempt in file $1: none void starting running dead rebooted, or its record,
# `exit CODE HOW CENTISECONDS WHAT-IS-ALIVE`. Only a whole line counts.
status() {
	due= id= sup= since= group= at= status=
	if [ -d "$1" ]; then status=void && return; fi
	if [ ! -e "$1" ]; then status=none && return; fi
	{
		read -r due id
		read -r sup since group at || sup=
		read -r status || status=
	} <"$1"
	if [ "$status" ]; then return; fi
	if [ -z "$sup" ]; then status=starting && return; fi
	if [ "$at" != "$boot" ]; then status=rebooted && return; fi
	# Its number may have come again, for a process that began later; never while anything of the group lives.
	born "$group"
	if [ "${born:-0}" -gt $((since + 500)) ]; then group=-; fi
	if born "$sup" && [ "$born" = "$since" ]; then status=running && return; fi
	{
		read -r a
		read -r a
		read -r status || status=dead
	} <"$1"
}

# As status, when a claim has had its time to become a process.
known() {
	status "$1"
	i=0
	while [ "$status" = starting ] && [ $((i += 1)) -le 20 ]; do
		nap
		status "$1"
	done
}

# alive, pids: what lives of the attempt marked $1, in group or session $2 or by the mark in its environment.
left() {
	alive= pids=
	marked=" $(grep -lszxF "COCKPIT_KEY=$1" /proc/[0-9]*/environ) "
	if [ "$scope" ]; then marked="$marked $(grep -ls "/cockpit-$1\.scope" /proc/[0-9]*/cgroup) "; fi
	for f in /proc/[0-9]*/stat; do
		read -r a <"$f" || continue
		set -- "$1" "$2" "${a%% *}" ${a##*) }
		case $4 in Z | X) continue ;; esac
		case $marked in
		*"/proc/$3/"*) ;;
		*) if [ "$6" != "$2" ] && [ "$7" != "$2" ]; then continue; fi ;;
		esac
		alive="$alive ${a%%) *})" pids="$pids $3"
	done
	[ "$alive" ]
}

shoot() {
	if [ "$1" != - ]; then kill "-$2" "-$1"; fi
	if [ "$pids" ]; then kill "-$2" $pids; fi
}

# TERM, a grace, KILL to group $2 and whatever is marked $1; alive then tells what stays.
end() {
	left "$1" "$2" || return 0
	shoot "$2" TERM
	clock
	until=$((now + grace))
	while nap && left "$1" "$2" && clock && [ "$now" -lt "$until" ]; do :; done
	i=0
	while [ "$alive" ] && [ $((i += 1)) -le 10 ]; do
		shoot "$2" KILL
		nap
		left "$1" "$2"
	done
}

# The supervisor of one attempt, a process of its own that outlives the control shell: key, token halves, line. What
# is in $secrets reaches only the line's own shell, in its environment: no file and no process list has it. A trap keeps it alive, since the line would inherit ignored signals. The end is that of the line's own shell: a
# child in the background may keep the output open as long as it likes.
watch() {
	trap : HUP PIPE
	clock
	start=$now
	{
		eval "$secrets"
		umask "$umask"
		export "COCKPIT_KEY=$name.$1"
		exec setsid ${scope:+$scope --unit=cockpit-$name.$1.scope} sh -c 'eval "set --; $1"' sh "$4"
	} >"$k.out" 2>&1 3>&- 4>&- &
	group=$! secrets=
	born self
	line "${a%% *} $born $group $boot" >>"$k"
	while wait $group; code=$?; kill -0 $group; do :; done
	how=ended alive=
	if [ -e "$k.stop" ]; then how=stopped; fi
	if [ -e "$k.late" ]; then
		end "$name.$1" $group
		how=late
	fi
	clock
	record="exit $code $how $((now - start))$alive"
	# The first two lines have their block of the disk already: this one fits even where it is full.
	while [ -e "$k" ] && ! line "$record" >>"$k"; do sleep 1; done
	{
		if [ ! -e "$k.seen" ]; then
			line "$2$3 out"
			if [ -s "$k.out" ]; then dd if="$k.out" bs=65536 count=1; fi
		fi
		# Who hears this has it in a log of their own. If nobody does, the disk has to keep it.
		line "$2$3 $record"
	} >&3 || exec sync "$k" 3>&-
}

# Ends what this shell began and is past its time, as long as the shell lives or anything runs; descriptor 5 tells what
# has begun. One process for all: one for each would cost more than most steps do.
tick() {
	trap : HUP PIPE
	mine= shell= secrets=
	if born $$; then shell=$born; fi
	while sleep 1; do
		while read -r k; do mine="$mine $k"; done <&5
		busy=
		for k in $mine; do
			status "$spool/$k"
			case $status in
			starting) busy="$busy $k" ;;
			running | dead)
				if clock && [ "$now" -lt "$due" ]; then busy="$busy $k" && continue; fi
				true >"$spool/$k.late"
				end "$name.$k" "$group"
				;;
			esac
		done
		mine=$busy
		if [ -z "$mine" ] && ! { born $$ && [ "$born" = "$shell" ]; }; then return; fi
	done
}

never() {
	rm -f "$k"
	mkdir "$k"
}

# Begins an attempt, at most once: key, token halves, line, seconds, id, keys that must never begin. Claim, then
# check: a takeover writes its number, then looks for claims, so one of the two sees the other.
go() {
	k=$spool/$1
	jobs >/dev/null # lets go of supervisors that have ended
	if [ ! -d "$spool" ]; then say gone && return; fi
	if ! true >>"$spool/begun.$$"; then say full && return; fi
	if [ -z "$ticker" ]; then exec 4>>"$spool/begun.$$"; fi
	if ! create "$k"; then
		if [ -e "$k" ]; then say taken; else say full; fi
		return
	fi
	clock
	if ! line "$((now + $5 * 100)) $6" >>"$k" || ! line "$1" >&4; then
		never
		say full && return
	fi
	top
	if [ $n != "$fence" ]; then never; holder; say "fenced $held" && return; fi
	skip=0
	for other in "$@"; do
		if [ $((skip += 1)) -le 6 ]; then continue; fi
		mkdir "$spool/$other"
		known "$spool/$other"
		case $status in
		none | running | starting) alive=$status ;;
		dead | exit*) left "$name.$other" "$group" ;;
		*) alive= ;;
		esac
		if [ "$alive" ]; then never; say "busy $id"; return; fi
	done
	if ! kill -0 $ticker; then
		tick 5<"$spool/begun.$$" </dev/null >/dev/null 3>&- 4>&- &
		ticker=$!
	fi
	watch "$@" </dev/null >/dev/null &
	say began
}

# What became of an attempt, and $3 blocks of its output from byte $2 on. Where it never began, it never can.
look() {
	k=$spool/$1 alive= size=0
	if [ ! -d "$spool" ]; then left "$name.$1" -; say "gone$alive"; return; fi
	known "$k"
	if [ "$status" = none ]; then
		# A claim that never reached the disk before a reboot, or went with the spool, looks the same.
		read -r a <"$spool/boot"
		if [ "$a" != "$boot" ]; then
			if [ "$a" = anew ]; then left "$name.$1" -; say "gone$alive"; else say '0 rebooted'; fi
			return
		fi
		mkdir "$k"
		known "$k"
	fi
	if [ "$status" = dead ]; then left "$name.$1" "$group"; fi
	if [ "$3" -gt 0 ] && [ -s "$k.out" ]; then
		if [ ! -e "$k.seen" ]; then true >"$k.seen"; fi
		set -- "$1" "$2" "$3" $(ls -ln "$k.out")
		size=$8
		if [ "$size" -gt "$2" ]; then
			{
				if [ "$2" -gt 0 ]; then dd bs=1 skip="$2" count=0; fi
				dd bs=65536 count="$3"
			} <"$k.out"
		fi
	fi
	say "$size $status$alive"
}

digest() { say "$(sha256sum "$spool/$1.out")"; }

# Ends an attempt that runs, and names what stays alive.
stop() {
	k=$spool/$1 alive=
	known "$k"
	case $status in
	running | dead)
		true >"$k.stop"
		end "$name.$1" "$group"
		;;
	esac
	say "stopped$alive"
}

# The files of the session's attempts in $1 that may still run, as far as the target can tell.
running() {
	for file in "$1"/*; do
		k=${file##*/}
		case $k in *.* | boot) continue ;; esac
		if [ ! -f "$file" ]; then continue; fi
		known "$file"
		case $status in
		running | starting) line "$id" ;;
		dead) if left "${1##*/}.$k" "$group"; then line "$id"; fi ;;
		esac
	done
}

# Sees whether steps could run, takes the lock and makes the spool; arguments as hold. The body names the attempts
# of whoever drove before that still run.
prepare() {
	if [ ! -d "$root/spool" ] || [ ! -d "$lock" ]; then mkdir -p "$root/spool" "$lock"; fi
	# Emptied, the file stays: to remove it would be one more process.
	dd if=/dev/zero of="$root/room" bs=65536 count=16
	set -- "$@" $?
	true >"$root/room"
	if [ "$6" != 0 ]; then say full && return; fi
	hold "$@"
	if [ "$held" = full ]; then say full && return; fi
	if [ -z "$fence" ]; then say "held $held" && return; fi
	if [ ! -s "$spool/boot" ]; then
		# Another target may be the same account, whose call makes it just now: from one process, both say the same.
		a=$boot
		if [ "$5" = resumed ] || { [ "$theirs" = "$name" ] && [ "$run$5" != "$1" ]; }; then a=anew; fi
		mkdir "$spool"
		printf '%s\n' "$a" "$lockname" >>"$spool/boot" # in one write, to a file that is never cut off
	fi
	if ! read -r a <"$spool/boot"; then say full && return; fi
	for d in "$root/spool"/*; do
		{ read -r a && read -r a; } <"$d/boot" || a=
		if [ "$a" = "$lockname" ] && [ "$d" != "$spool" ]; then running "$d"; fi
	done
	for f in "$lock"/*; do
		a=${f##*/}
		a=${a%.free}
		if [ "$a" -lt $((fence - 1)) ]; then rm -f "$f"; fi
	done
	say "ours $fence $(date +%s)"
}

# Removes the spool and gives the lock back: process, machine. The body names what still runs: then nothing is done.
release() {
	a=$(running "$spool")
	if [ "$a" ]; then
		line "$a"
		say busy && return
	fi
	rm -rf "$spool"
	if [ -d "$spool" ]; then say stays && return; fi
	top
	if [ $n -gt 0 ] && [ ! -e "$lock/$n.free" ]; then
		holder
		if [ "$theirs" = "$name" ] && { [ "$run" = "$1" ] || [ "$machine" = "$2" ]; }; then true >"$lock/$n.free"; fi
	fi
	say released
}

# A private directory on a disk that survives a reboot: an empty one would look as if nothing ever ran.
place() {
	root=${XDG_STATE_HOME:-$HOME/.local/state}/cockpit
	if [ ! -d "$root" ]; then (umask 077 && mkdir -p "$root"); fi
	case $root in /*) if [ -d "$root" ] && [ -w "$root" ] && [ -O "$root" ]; then return 0; fi ;; esac
	root=/var/tmp/cockpit-$(id -u)
	mkdir -m 700 "$root"
	if [ ! -d "$root" ] || [ -L "$root" ] || [ ! -O "$root" ]; then return 1; fi
	case $(ls -ldn "$root") in drwx------*) ;; *) return 1 ;; esac
}

unfit() {
	say "unfit $1"
	exit
}

begin() {
	read -r boot </proc/sys/kernel/random/boot_id || while read -r a b; do
		if [ "$a" = btime ]; then boot=$b; fi
	done </proc/stat
	if [ ! -r /proc/self/stat ] || [ -z "$boot" ]; then unfit 'no /proc is mounted there'; fi
	if ! command -v setsid >/dev/null; then unfit 'there is no setsid there (package util-linux or busybox)'; fi
	# A scope of systemd's holds a step with all it starts. Where this isn't there, systemd doesn't run the machine.
	scope=
	for a in '' --user; do
		if [ ! -d "${COCKPIT_SYSTEMD:-/run/systemd/system}" ]; then break; fi
		scope="systemd-run $a --no-ask-password --scope --quiet --collect"
		if timeout 1 $scope true </dev/null >/dev/null; then break; fi
		scope=
	done
	# What steps print is for whoever runs them; their own files are made as ever.
	umask=$(umask) secrets=
	umask 077
	if ! place; then unfit "neither a state directory in the home nor $root there is ours alone and writable"; fi
	spool=$root/spool/$name lock=$root/locks/$lockname
	say ready
}
begin
