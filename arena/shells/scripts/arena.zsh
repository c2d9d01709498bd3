#compdef arena
# Completion of arena in zsh; `arena --install-completion` writes it.
_arena() {
    local line value text word="${(Q)PREFIX}" home=
    local -a whole whole_texts open open_texts
    compset -P '\~/' && home='~/'  # zsh would quote the tilde of a match
    for line in "${(@f)$(_ARENA_COMPLETE=zsh ${(Q)words[1]} "${(@Q)words[2,CURRENT-1]}" "$word" 2>/dev/null)}"; do
        value="${${${line#?}%%$'\t'*}#$home}"
        text="${line#*$'\t'}"
        [[ -n $text ]] && text="$value  -- $text" || text="$value"
        case $line in
            -*) whole+=("$value"); whole_texts+=("$text") ;;
            +*) open+=("$value"); open_texts+=("$text") ;;
        esac
    done
    (( $#whole )) && compadd -l -d whole_texts -a -- whole
    (( $#open )) && compadd -l -S '' -d open_texts -a -- open
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _arena "$@"
else
    compdef _arena arena
fi
