package completion

// Zsh is the script for zsh.
func Zsh(root Command) string {
	return "#compdef exante\n# zsh completion for exante, as written by: exante completion zsh\n" +
		"# put it at a directory of $fpath, as _exante\n\n" + tables(root) + zshMain
}

const zshMain = `
_exante() {
    setopt localoptions noksharrays
    local kind reply path_ flag
    local cur=$words[CURRENT]
    _exante_follow_zsh "${(@)words[2,CURRENT-1]}"
    if [[ -z $flag && $cur == --*=* ]]; then
        flag=${cur%%=*}
        compset -P '*='
    elif [[ -z $flag ]]; then
        _exante_words "$path_"
        local next=$reply
        kind=words
        if [[ $cur != -* ]]; then
            _exante_value "$path_" ''
            [[ -z $kind && $next != -* ]] && kind=words reply=$next
        fi
    fi
    [[ -n $flag ]] && _exante_value "$path_" "$flag"
    case $kind in
    files) _files ;;
    dirs) _files -/ ;;
    list)
        compset -P '*,'
        compadd -- ${=reply}
        ;;
    words) compadd -- ${=reply} ;;
    esac
}

# $path is tied to $PATH in zsh.
_exante_follow_zsh() {
    local -h path
    _exante_follow "$@"
    path_=$path
}

if [[ $funcstack[1] == _exante ]]; then
    _exante "$@"
else
    compdef _exante exante
fi
`
