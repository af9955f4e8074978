#!/bin/sh
# Prepare the request for an update that a pipeline opens once a week:
#     update.sh TEXT
# Where the template has a newer release, the update to it is committed on a branch, whose name is printed, and the
# preview of it is written to the file TEXT, which must not lie in the repository. Otherwise nothing is printed.
# ACCELERAY says how the front end is called, such as "pipx run --spec git+https://... acceleray"; without it, pipx
# takes the front end from the place of the template in .copier-answers.yml.
set -eu

text=$1
acceleray=${ACCELERAY:-}
if [ -z "$acceleray" ]; then
    place=$(sed -n "s/^_src_path: *//p" .copier-answers.yml | tr -d "\"'")
    case $place in
        gh:*) place=https://github.com/${place#gh:} ;;
        gl:*) place=https://gitlab.com/${place#gl:} ;;
        git@*) place=ssh://$(echo "$place" | sed "s/:/\//") ;;
    esac
    case $place in
        git+*) ;;
        *://*) place=git+$place ;;
        *)
            echo ".copier-answers.yml says that the template is at '$place', which is no address;" \
                "set ACCELERAY to the command that reaches it." >&2
            exit 2
            ;;
    esac
    acceleray="pipx run --spec $place acceleray"
fi

code=0
$acceleray check --json > "$text" || code=$?
case $code in
    0) exit 0 ;;
    4) ;;
    *)
        cat "$text" >&2
        exit "$code"
        ;;
esac
version=$(sed -n 's/^  "newest": "\(.*\)",$/\1/p' "$text")
branch=acceleray-update-$version
if git ls-remote --exit-code --heads origin "refs/heads/$branch" > /dev/null 2>&1; then
    echo "The branch $branch is there already, so nothing is requested again." >&2
    exit 0
fi

{
    printf 'What `acceleray preview` says of the update to version %s:\n\n```\n' "$version"
    $acceleray preview
    printf '```\n'
} > "$text"
git checkout --quiet -b "$branch"
code=0
$acceleray update >&2 || code=$?
case $code in
    0) ;;
    3) printf '\n**There are conflicts.** Look for `<<<<<<<` in this branch, and decide.\n' >> "$text" ;;
    *)
        # Nothing was changed: edits would be lost, and only somebody who knows them may say that they can go.
        exit "$code"
        ;;
esac
git add --all -- .
git -c user.name="${GIT_AUTHOR_NAME:-acceleray}" -c user.email="${GIT_AUTHOR_EMAIL:-acceleray@example.com}" \
    commit --quiet --message "Update to version $version of the template"
echo "$branch"
