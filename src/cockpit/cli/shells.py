"""What `cockpit completion` prints: for each shell the script that asks `cockpit __complete` for words.

Cockpit answers with a line for each word, what it means behind a tab; the newest or likeliest first. Where it has
none, the shell completes files.
"""

from __future__ import annotations

BASH = r"""# Completes cockpit's words in bash: source <(cockpit completion bash)
_cockpit() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("${line%%$'\t'*}")
    done < <("$1" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == */ ]]; then
        compopt -o nospace
    fi
}
complete -o nosort -o default -o bashdefault -F _cockpit cockpit 2>/dev/null ||
    complete -o default -o bashdefault -F _cockpit cockpit
"""

ZSH = r"""#compdef cockpit
# Completes cockpit's words in zsh: source <(cockpit completion zsh), below compinit
_cockpit() {
    local -a offered shown
    local word told
    while IFS=$'\t' read -r word told; do
        offered+=("$word")
        shown+=("${word}${told:+  -- $told}")
    done < <("$words[1]" __complete "${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)
    if (( ${#offered} == 0 )); then
        _files
    elif (( ${#offered} == 1 )) && [[ $offered[1] == */ ]]; then
        compadd -S '' -a offered
    else
        compadd -V cockpit -l -d shown -a offered
    fi
}
if [[ ${funcstack[1]} == _cockpit ]]; then
    _cockpit "$@"
else
    compdef _cockpit cockpit
fi
"""

FISH = r"""# Completes cockpit's words in fish: cockpit completion fish > ~/.config/fish/completions/cockpit.fish
function __cockpit_words
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    set -l offered ($before[1] __complete $before[2..-1] "$current" 2>/dev/null)
    if test (count $offered) -gt 0
        printf '%s\n' $offered
    else
        __fish_complete_path "$current"
    end
end
complete -c cockpit -f -k -a '(__cockpit_words)'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
"""The script of each shell."""
