package schedule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// When is a time of crontab(5).
type When struct {
	minute, hour, day, month, weekday uint64 // a bit for each value
	anyDay, anyWeekday                bool   // the field begins with *
}

var nicks = map[string]string{"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *"}

var (
	monthNames = []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}
	dayNames   = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
)

// ParseWhen reads five fields of crontab(5), or @hourly and its like. @reboot is none: nobody knows when that is.
func ParseWhen(text string) (When, error) {
	if full := nicks[strings.ToLower(text)]; full != "" {
		text = full
	}
	fields := strings.Fields(text)
	if len(fields) != 5 {
		return When{}, fmt.Errorf("%q is no time of a crontab: minute, hour, day of the month, month and day of the week, as \"0 1 * * *\" (every night at one) or \"*/15 * * * *\"; or @hourly, @daily, @weekly, @monthly", text)
	}
	w := When{anyDay: strings.HasPrefix(fields[2], "*"), anyWeekday: strings.HasPrefix(fields[4], "*")}
	for i, f := range []struct {
		into     *uint64
		what     string
		min, max int
		names    []string
	}{
		{&w.minute, "minute", 0, 59, nil}, {&w.hour, "hour", 0, 23, nil}, {&w.day, "day of the month", 1, 31, nil},
		{&w.month, "month", 1, 12, monthNames}, {&w.weekday, "day of the week", 0, 7, dayNames},
	} {
		bits, err := field(strings.ToLower(fields[i]), f.min, f.max, f.names)
		if err != nil {
			return When{}, fmt.Errorf("%q: the %s %q: %w", text, f.what, fields[i], err)
		}
		*f.into = bits
	}
	if w.weekday&(1<<7) != 0 { // Sunday is 0, too
		w.weekday |= 1
	}
	if w.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return When{}, fmt.Errorf("%q: there is no such day", text)
	}
	return w, nil
}

// field reads a list of ranges with steps.
func field(text string, low, high int, names []string) (uint64, error) {
	var bits uint64
	for part := range strings.SplitSeq(text, ",") {
		span, step, stepped := strings.Cut(part, "/")
		by := 1
		if stepped {
			n, err := strconv.Atoi(step)
			if err != nil || n < 1 || n > high {
				return 0, fmt.Errorf("%q is no step from 1 to %d", step, high)
			}
			by = n
		}
		from, to := low, high
		if span != "*" {
			first, last, ranged := strings.Cut(span, "-")
			var err error
			if from, err = number(first, low, high, names); err != nil {
				return 0, err
			}
			switch {
			case ranged:
				if to, err = number(last, low, high, names); err != nil {
					return 0, err
				}
			case stepped:
				return 0, fmt.Errorf("a step needs a range or * before it: */%d", by)
			default:
				to = from
			}
		}
		if from > to {
			return 0, fmt.Errorf("%q ends before it begins", span)
		}
		for v := from; v <= to; v += by {
			bits |= 1 << v
		}
	}
	return bits, nil
}

func number(text string, low, high int, names []string) (int, error) {
	if i := slices.Index(names, text); i >= 0 {
		return i + low, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		return 0, fmt.Errorf("%q is not from %d to %d", text, low, high)
	}
	return n, nil
}

// Next is the first minute after a time, on the clock of its place. Zero: none within five years. Where the clock is changed,
// some crons run a job once more, or at a neighbouring time.
func (w When) Next(after time.Time) time.Time {
	t := after.Truncate(time.Minute).Add(time.Minute)
	for end := after.AddDate(5, 0, 0); t.Before(end); {
		switch {
		case w.month&(1<<t.Month()) == 0 || !w.onDay(t):
			t = time.Date(t.Year(), t.Month(), t.Day()+1, 0, 0, 0, 0, t.Location())
		case w.hour&(1<<t.Hour()) == 0:
			t = t.Add(time.Duration(60-t.Minute()) * time.Minute)
		case w.minute&(1<<t.Minute()) == 0:
			t = t.Add(time.Minute)
		default:
			return t
		}
	}
	return time.Time{}
}

// onDay tells whether a day is meant: by both fields, or by either one where both are given.
func (w When) onDay(t time.Time) bool {
	day, weekday := w.day&(1<<t.Day()) != 0, w.weekday&(1<<t.Weekday()) != 0
	if w.anyDay || w.anyWeekday {
		return day && weekday
	}
	return day || weekday
}
