# Completion of arena in bash; `arena --install-completion` writes it.
_arena_completion() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("$line")
    done < <(COMP_LINE="${COMP_LINE:0:COMP_POINT}" COMP_WORDBREAKS="$COMP_WORDBREAKS" _ARENA_COMPLETE=bash "$1" 2>/dev/null)
}
complete -o nospace -F _arena_completion arena
