
# Organizations and ids that the engine knows: of `--data-dir`, or LINESMAN_DATA_DIR.
_linesman_known() {
    _linesman "$@"
    local what="" where=() at
    local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}"
    if [[ "$before" == --organization || "$before" == --org ]]; then
        what=organizations
    elif [[ "$COMP_CWORD" -eq 3 && "$word" != -* && "${COMP_WORDS[2]}" != list ]]; then
        case "${COMP_WORDS[1]}" in
            incident) what=incidents ;;
            case) what=cases ;;
            dead) what=dead-letters ;;
            policy) what=policies ;;
            org|device|address|contract) what=organizations ;;
        esac
    fi
    [[ -n "$what" ]] || return 0
    for ((at = 1; at < ${#COMP_WORDS[@]} - 1; at++)); do
        [[ "${COMP_WORDS[at]}" == --data-dir ]] && where=(--data-dir "${COMP_WORDS[at+1]}")
    done
    COMPREPLY+=($(compgen -W "$("${COMP_WORDS[0]}" known "$what" "${where[@]}" 2> /dev/null)" -- "$word"))
}
complete -F _linesman_known -o bashdefault -o default linesman
