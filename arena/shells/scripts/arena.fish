# Completion of arena in fish; `arena --install-completion` writes it.
function __arena_complete
    set -l words (commandline -opc)
    set -lx _ARENA_COMPLETE fish
    $words[1] $words[2..-1] (commandline -ct) 2>/dev/null
end
complete --command arena --no-files --arguments '(__arena_complete)'
