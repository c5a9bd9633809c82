# Who drives a service on this target: read into the control shell before supervisor.sh, which tells the rest.

# n: the highest number in the lock, 0 for none.
top() {
	n=0
	for f in "$lock"/*; do
		f=${f##*/}
		case $f in *[!0-9]*) ;; *) if [ "$f" -gt $n ]; then n=$f; fi ;; esac
	done
}

# held: who has number $n, in words; theirs, run, machine: whose it is.
holder() {
	i=0
	until {
		read -r theirs && read -r run && read -r machine && read -r held
	} <"$lock/$n"; do
		# Somebody is writing it just now, or a full disk cut it off.
		theirs= run= machine= held='another driver, whose record is unreadable'
		if [ $((i += 1)) -gt 10 ]; then return; fi
		nap
	done
}

# Takes the lock: process, machine, description, reason for a take-over, `again` if this process had it, `resumed`.
# To create the next number is a compare-and-set. fence: our number; empty where held says who has it.
hold() {
	theirs= held=
	while :; do
		fence=
		top
		if [ $n -gt 0 ] && [ ! -e "$lock/$n.free" ]; then
			holder
			if [ "$theirs" = "$name" ] && [ "$run" = "$1" ]; then fence=$n && return; fi
			if [ "$5" = again ]; then return; fi
			# The caller has the session's log on that machine: the process that drove it has ended.
			if [ "$theirs" != "$name" ] || [ "$machine" != "$2" ]; then
				if [ -z "$4" ]; then return; fi
			fi
		elif [ "$5" = again ]; then
			held='nobody any more, since it was given back'
			return
		elif [ "$5" = resumed ] && [ $n -gt 0 ] && [ -z "$4" ]; then
			holder
			if [ "$theirs" != "$name" ]; then held="nobody now, but was driven since by $held" && return; fi
		fi
		fence=$((n + 1))
		if ! create "$lock/$fence"; then
			if [ -e "$lock/$fence" ]; then continue; fi
			fence= held=full
			return
		fi
		if ! printf '%s\n' "$name" "$1" "$2" "$3" "$4" >>"$lock/$fence"; then
			rm -f "$lock/$fence"
			fence= held=full
			return
		fi
		top
		if [ $n = $fence ]; then return; fi
	done
}
