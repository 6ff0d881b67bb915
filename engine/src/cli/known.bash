
# Words that have spaces or begin with `-`, and organizations and ids that the engine knows: of `--data-dir`, or
# LINESMAN_DATA_DIR.
_linesman_known() {
    _linesman "$@"
    local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" said=() where=() whose=() what="" values at flag
    # `--flag=value` is three words here.
    if [[ "$word" == "=" ]]; then
        word=""
    elif [[ "$before" == "=" && "$COMP_CWORD" -gt 2 ]]; then
        before="${COMP_WORDS[COMP_CWORD-2]}"
    fi
    for ((at = 1; at < COMP_CWORD; at++)); do
        flag="${COMP_WORDS[at]}"
        case "$flag" in
            =) ;;
            -*)
                _linesman_takes "$flag" || continue
                [[ "${COMP_WORDS[at+1]}" == "=" ]] && ((at++))
                ((at++))
                [[ "$at" -lt "$COMP_CWORD" ]] || continue
                values="${COMP_WORDS[at]}"
                case "$flag" in
                    --data-dir|--api|--token-file|--ca|--session-file) where+=("$flag" "${values/#\~/$HOME}") ;;
                    --organization|--org) whose=(--organization "$values") ;;
                esac
                ;;
            *) said+=("$flag") ;;
        esac
    done
    if _linesman_takes "$before"; then
        for ((at = ${#said[@]}; at > 0; at--)); do
            if values="$(_linesman_words "${said[*]:0:at} $before")"; then
                _linesman_offer "$values" "$word"
                return 0
            fi
        done
        case "$before" in
            --organization|--org|--concerns|--sent-to) what=organizations ;;
            --under) what=places ;;
            --login|--member|--owner) what=managers ;;
            *) return 0 ;;
        esac
    elif [[ "$word" == -* ]]; then
        return 0
    elif [[ "${#said[@]}" -eq 2 ]]; then
        case "${said[*]}" in
            "incident list"|"case list"|"dead list"|"policy list"|"device list"|"device drifts"|"intel list") ;;
            "incident "*|"case submit"|"case save") what=incidents ;;
            "case export"|"intel state"|"audit show"|"audit checkpoint") what=organizations ;;
            "case "*) what=cases ;;
            "dead "*) what=dead-letters ;;
            "policy show") what=policies ;;
            "device add"|"org list"|"jmb-error list") ;;
            "device config") ;;
            "device "*) if [[ "${#whose[@]}" -gt 0 ]]; then what=devices; else what=organizations; fi ;;
            "org "*|"jmb-error "*|"address "*|"contract "*|"scripts "*|"script-bundle "*) what=organizations ;;
            "directives-group "*|"event-profile "*) what=organizations ;;
            "intel associate"|"intel associations"|"intel preview"|"intel send"|"intel recall") what=messages ;;
            "intel show"|"intel impact") what=organizations ;;
            "approval show"|"approval approve"|"approval reject") what=approvals ;;
            "group show"|"group set"|"group remove") what=groups ;;
            "manager list") what=places ;;
            "manager show"|"manager set"|"manager why"|"manager remove"|"manager reset-password") what=managers ;;
            "service show"|"service rollout") what=services ;;
            "session show"|"session remove") what=sessions ;;
            "token show"|"token remove") what=tokens ;;
            "place tie"|"value resolve") ;;
            "place "*|"value "*|"subscription "*|"activation "*|"audit list"|"audit export") what=places ;;
        esac
    elif [[ "${said[*]}" == netconf ]]; then
        what=devices
    elif [[ "${#said[@]}" -ge 3 ]]; then
        case "${said[0]} ${said[1]}" in
            "intel associate"|"intel preview"|"intel send"|"intel recall") what=organizations ;;
        esac
        case "${#said[@]} ${said[0]} ${said[1]}" in
            "3 device config") what=organizations ;;
            "4 device config") what=devices whose=(--organization "${said[3]}") ;;
        esac
        [[ "${#said[@]}" -eq 3 && "${said[1]}" != config ]] && case "${said[0]} ${said[1]}" in
            "device import"|"device export"|"device add") ;;
            "device "*|"jmb-error "*) what=devices whose=(--organization "${said[2]}") ;;
            "intel show"|"intel impact"|"intel state") what=messages whose=(--organization "${said[2]}") ;;
            "value explain") what=services ;;
        esac
        [[ "${#said[@]}" -eq 4 && "${said[0]} ${said[1]}" == "manager why" ]] && what=places
    fi
    [[ -n "$what" ]] || return 0
    # A file's name is none of these, also where the engine tells of none.
    compopt +o default +o bashdefault 2> /dev/null
    case "$what" in
        devices|messages|incidents|cases) ;;
        *) whose=() ;;
    esac
    _linesman_offer "$("${COMP_WORDS[0]}" known "$what" "${whose[@]}" "${where[@]}" 2> /dev/null)" "$word"
}

# Lines of which one is the word: in its quotes, or else as a shell writes it.
_linesman_offer() {
    local typed="$2" value is_quoted=""
    COMPREPLY=()
    case "$typed" in
        [\"\']*) typed="${typed:1}" is_quoted=1 ;;
        *) typed="${typed//\\/}" ;;
    esac
    while IFS= read -r value; do
        [[ -n "$value" && "$value" == "$typed"* ]] || continue
        [[ -n "$is_quoted" ]] || value="$(printf '%q' "$value")"
        COMPREPLY+=("$value")
    done <<< "$1"
}
complete -F _linesman_known -o nosort -o bashdefault -o default linesman 2> /dev/null ||
    complete -F _linesman_known -o bashdefault -o default linesman
