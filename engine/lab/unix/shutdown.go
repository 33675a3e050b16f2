package unix

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine/lab/touch"
)

// goodbye is the lab time between the call of shutdown and the end of everything.
const goodbye = 3 * time.Second

// shutdown is "shutdown -r|-h now|+MINUTES" and reboot. It returns at once; what follows needs nobody. A shutdown that
// waits cannot be taken back here.
func (d *DSVA) shutdown(ctx context.Context, c *call) int {
	touch.Mark(ctx)
	flags, args := split(c.args)
	delay := goodbye
	switch {
	case c.uid() != 0:
		fmt.Fprintln(c.stderr, c.name+": Need to be root")
		return 1
	case c.name == "reboot":
		flags = "r"
	case !strings.ContainsAny(flags, "rhP") || len(args) == 0:
		return c.fail(1, "time expected")
	case args[0] != "now":
		minutes, err := strconv.Atoi(strings.TrimPrefix(args[0], "+"))
		if err != nil {
			return c.fail(1, "Bad time value")
		}
		delay += time.Duration(minutes) * time.Minute
	}
	again := slices.Contains([]byte(flags), 'r')
	off := d.m.atPowerOff()
	ctx = context.WithoutCancel(ctx)
	go func() {
		waiting, cancel := context.WithCancel(ctx)
		defer cancel()
		go func() {
			select {
			case <-off: // somebody was faster
				cancel()
			case <-waiting.Done():
			}
		}()
		if d.m.clock.Wait(waiting, delay) != nil {
			return
		}
		d.Down()
		if again && d.m.clock.Wait(ctx, d.cfg.BootTakes) == nil {
			d.Up()
		}
	}()
	return 0
}
