package completion

// Bash is the script for bash. It reads the line for itself: bash breaks words at =
// and : too, which stand in the middle of ours.
func Bash(root Command) string {
	return "# bash completion for exante, as written by: exante completion bash\n" +
		"# source it, or put it at /usr/share/bash-completion/completions/exante\n\n" + tables(root) + bashMain
}

const bashMain = `
_exante() {
    local line=${COMP_LINE:0:COMP_POINT} typed=() cur before='' kind reply path flag breaks='' item
    IFS=$' \t\n' read -ra typed <<<"$line"
    [[ $line == *[[:space:]] ]] && typed+=('')
    cur=${typed[${#typed[@]} - 1]}
    _exante_follow "${typed[@]:1:${#typed[@]} - 2}"
    if [[ -z $flag && $cur == --*=* ]]; then
        flag=${cur%%=*}
        before=$flag=
    elif [[ -z $flag ]]; then
        _exante_words "$path"
        local words=$reply
        kind=words
        if [[ $cur != -* ]]; then
            _exante_value "$path" ''
            if [[ -z $kind && $words != -* ]]; then kind=words reply=$words; fi
        fi
    fi
    [[ -n $flag ]] && _exante_value "$path" "$flag"
    local part=${cur#"$before"}
    if [[ $kind == list && $part == *,* ]]; then
        before+=${part%,*},
        part=${part##*,}
    fi
    COMPREPLY=()
    case $kind in
    files) mapfile -t COMPREPLY < <(compgen -f -- "$part") && compopt -o filenames 2>/dev/null ;;
    dirs) mapfile -t COMPREPLY < <(compgen -d -- "$part") && compopt -o filenames 2>/dev/null ;;
    words | list) mapfile -t COMPREPLY < <(compgen -W "$reply" -- "$part") ;;
    esac
    # bash puts a reply after the last character at which it breaks words.
    [[ $COMP_WORDBREAKS == *=* ]] && breaks+='='
    [[ $COMP_WORDBREAKS == *:* ]] && breaks+=:
    if [[ -n $breaks && $cur == *["$breaks"]* ]]; then
        local done=${cur%"${cur##*["$breaks"]}"}
    else
        local done=''
    fi
    for item in "${!COMPREPLY[@]}"; do
        COMPREPLY[item]=$before${COMPREPLY[item]}
        COMPREPLY[item]=${COMPREPLY[item]#"$done"}
    done
    return 0
}

complete -F _exante exante
`
