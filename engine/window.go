package engine

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Window is when something may be done: on some days of the week, between two times, by the clock of one place.
type Window struct {
	text     string
	days     [7]bool // Sunday first
	from, to int     // minutes after midnight; to before from: it ends on the next day
	place    *time.Location
}

var weekdays = []string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}

// ParseWindow reads "Sat,Sun 01:00-05:00 Asia/Tokyo": days (names, or Mon-Fri), times, and a place of the IANA database. A
// window that ends before it begins ends on the next day.
func ParseWindow(text string) (*Window, error) {
	parts := strings.Fields(text)
	if len(parts) != 3 {
		return nil, fmt.Errorf("%q is no window: it is written \"Sat,Sun 01:00-05:00 Asia/Tokyo\" (days, times, place)", text)
	}
	w := &Window{text: text}
	for _, part := range strings.Split(parts[0], ",") {
		if err := w.addDays(part); err != nil {
			return nil, err
		}
	}
	from, to, _ := strings.Cut(parts[1], "-")
	var err error
	if w.from, err = minutes(from); err != nil {
		return nil, err
	}
	if w.to, err = minutes(to); err != nil {
		return nil, err
	}
	if w.from == w.to {
		return nil, fmt.Errorf("%q is never open: write 00:00-24:00 for a whole day", parts[1])
	}
	if w.place, err = time.LoadLocation(parts[2]); err != nil || parts[2] == "Local" {
		return nil, fmt.Errorf("%q is no place of the time zone database, like Asia/Tokyo or UTC", parts[2])
	}
	return w, nil
}

// addDays adds "Sat" or "Mon-Fri".
func (w *Window) addDays(text string) error {
	first, last, span := strings.Cut(text, "-")
	if !span {
		last = first
	}
	from, to := slices.Index(weekdays, first), slices.Index(weekdays, last)
	if from < 0 || to < 0 {
		return fmt.Errorf("%q is no day: days are %s", text, strings.Join(weekdays, " "))
	}
	for day := from; ; day = (day + 1) % 7 {
		w.days[day] = true
		if day == to {
			return nil
		}
	}
}

// minutes reads "01:00"; "24:00" is the end of the day.
func minutes(text string) (int, error) {
	if text == "24:00" {
		return 24 * 60, nil
	}
	t, err := time.Parse("15:04", text)
	if err != nil {
		return 0, fmt.Errorf("%q is no time: write it like 01:00", text)
	}
	return t.Hour()*60 + t.Minute(), nil
}

// Open tells whether the window is open at a time. What counts is what the clock of its place shows: an hour that is
// repeated in autumn counts twice, one that is left out in spring never comes.
func (w *Window) Open(at time.Time) bool {
	local := at.In(w.place)
	now, day := local.Hour()*60+local.Minute(), local.Weekday()
	if w.from < w.to {
		return w.days[day] && now >= w.from && now < w.to
	}
	yesterday := (day + 6) % 7
	return w.days[day] && now >= w.from || w.days[yesterday] && now < w.to
}

// Opens is the first minute from at on in which the window is open: at itself when it is. Zero: not within nine days, which
// a window whose only hour the clock leaves out may mean.
func (w *Window) Opens(at time.Time) time.Time { return w.first(at, true) }

// Closes is when the window that is open at a time closes; zero: it is closed then, or it never closes.
func (w *Window) Closes(at time.Time) time.Time {
	if !w.Open(at) {
		return time.Time{}
	}
	return w.first(at, false)
}

// first walks from minute to minute: no arithmetic on the clock of a place can be wrong on the day on which it is changed.
func (w *Window) first(at time.Time, open bool) time.Time {
	if w.Open(at) == open {
		return at
	}
	const reach = 9 * 24 * 60 // every day of the week, and those on which the clock is changed
	minute := at.Truncate(time.Minute)
	for range reach {
		minute = minute.Add(time.Minute)
		if w.Open(minute) == open {
			return minute
		}
	}
	return time.Time{}
}

// Clock is a time as the clock of the window's place shows it, with its distance from UTC.
func (w *Window) Clock(at time.Time) string {
	return at.In(w.place).Format("Mon 2006-01-02 15:04 -07:00")
}

func (w *Window) String() string { return w.text }
