package dsm

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// tolerated is a difference of clocks that is not corrected: a Date header is cut to seconds and travels for some time.
const tolerated = 5 * time.Second

// skew is how far the DSM's clock is ahead, by the Date header of an answer that came at now.
func skew(h http.Header, now time.Time) time.Duration {
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0
	}
	return beyond(date.Add(time.Second / 2).Sub(now))
}

func beyond(d time.Duration) time.Duration {
	if d.Abs() <= tolerated {
		return 0
	}
	return d.Round(time.Second)
}

// ours is a time of the DSM in this machine's clock; nil for the zero time. It is never in the future.
func ours(t time.Time, skew time.Duration, now time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.Add(-skew)
	if t.After(now) {
		t = now
	}
	return &t
}

// withZone and withoutZone are the shapes in which a DSM may write times as strings; that of
// lastSuccessfulCommunication is not documented.
var (
	withZone    = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999Z0700", time.RFC1123Z}
	withoutZone = []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006/01/02 15:04:05", "2006年1月2日 15:04:05",
		"January 2, 2006 15:04:05", "January 2, 2006 3:04:05 PM", "Jan 2, 2006 3:04:05 PM"}
)

// parseTime reads a time of a DSM. One without a zone is in the zone of the manager; when that is not known (nil),
// it is the zero time: a guess would be wrong by hours.
func parseTime(text string, zone *time.Location) time.Time {
	text = strings.TrimSpace(text)
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil && ms > 0 {
		return time.UnixMilli(ms)
	}
	for _, layout := range withZone {
		if t, err := time.Parse(layout, text); err == nil {
			return t
		}
	}
	if zone == nil {
		return time.Time{}
	}
	for _, layout := range withoutZone {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t
		}
	}
	return time.Time{}
}

// zoneOf is the zone that the manager's own time shows. UTC may mean that it writes every dateTime so, and says
// nothing of the zone of its texts.
func zoneOf(managerTime string) *time.Location {
	t, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(managerTime))
	if _, offset := t.Zone(); err != nil || offset == 0 {
		return nil
	}
	return t.Location()
}
