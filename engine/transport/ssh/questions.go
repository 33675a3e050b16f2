package ssh

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
)

var errNoPassword = errors.New("there is no password")

// mostQuestions bounds what a host can make of a login: each question could get the password, and is told in errors.
const mostQuestions = 100

// answer answers what keyboard-interactive asks, in any number of rounds. A question that answers has an answer to gets
// that; another hidden one is taken for that of the password, unless it speaks of codes. Each is answered once: PAM
// modules in a row ask one after the other, and the same question again means that the answer was wrong. No question gets
// no answer, which ends PAM's conversation.
func (l *login) answer(name, instruction string, questions []string, echos []bool) ([]string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hear(name)
	l.hear(instruction)
	if len(l.answered)+len(questions) > mostQuestions {
		l.reason = &refusal{fmt.Sprintf("the host asks more than %d questions", mostQuestions), "no login asks that much; is it the right host?"}
		return nil, l.reason
	}
	answers := make([]string, len(questions))
	before := slices.Clone(l.answered) // two of one round may be alike
	for i, question := range questions {
		question = strings.TrimSpace(question)
		answer, err := l.answerTo(question, echos[i], before)
		if err != nil {
			l.reason = err
			return nil, err
		}
		l.answered, l.sent = append(l.answered, question), true
		answers[i] = answer
	}
	return answers, nil
}

// Questions that no password is the answer to, by what PAM modules ask (pam_google_authenticator, pam_oath, pam_radius and
// others), and those for a new password (pam_unix).
var (
	isCode = regexp.MustCompile(`(?i)\b(one[- ]time|otp|pin|code|passcode|token|verification|challenge)\b`)
	isNew  = regexp.MustCompile(`(?i)\b(new|retype|again)\b.*password|password.*\bagain\b`)
)

func (l *login) answerTo(question string, echo bool, before []string) (string, error) {
	given := l.answerFor(question)
	switch {
	case slices.Contains(before, question) && given != nil:
		return "", &refusal{fmt.Sprintf("the answer to %q was refused", question), "it was given once; a code may be used up or too old. Look at answers in the connection block"}
	case slices.Contains(before, question):
		return "", &refusal{fmt.Sprintf("the password of %s was refused: the host asks %q again", l.user, question),
			"it was sent once, so as not to lock the account; check user and password. Where two modules of PAM ask alike, one of them needs another prompt"}
	case given != nil:
		return given.Reveal(), nil
	case isNew.MatchString(question):
		return "", &refusal{fmt.Sprintf("the password of %s has expired: the host asks %q", l.user, question), "log in by hand and set a new one"}
	case echo || isCode.MatchString(question) || l.password.IsZero():
		return "", &refusal{fmt.Sprintf("the host asks %q, to which there is no answer", question),
			fmt.Sprintf("answers = { %q = secret(\"env:…\") } in the connection block; or log in with a key", strings.TrimRight(question, ": "))}
	}
	return l.password.Reveal(), nil
}

// answerFor is what answers has for a question, by its beginning; nil: nothing.
func (l *login) answerFor(question string) *engine.Secret {
	var found *engine.Secret
	longest := -1
	for prefix, answer := range l.answers {
		p := strings.TrimSpace(prefix)
		if len(p) > longest && len(question) >= len(p) && strings.EqualFold(question[:len(p)], p) {
			found, longest = &answer, len(p)
		}
	}
	return found
}

// refusal is why a question got no answer.
type refusal struct{ msg, hint string }

func (r *refusal) Error() string { return r.msg }
