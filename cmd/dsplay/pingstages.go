package main

import (
	"fmt"
	"strings"

	"github.com/dsplay/dsplay/engine/ping"
)

// eighths of a cell, from one to all of it.
var eighths = []string{"▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"}

// bar is as long as share (0 to 1) of cells; something is always seen.
func bar(share float64, cells int) string {
	n := max(int(share*float64(cells*8)+0.5), 1)
	full, rest := n/8, n%8
	text := strings.Repeat("█", full)
	if rest > 0 {
		text += eighths[rest-1]
	}
	return text
}

// picture is all stages in one line, each with its milliseconds and a bar that compares it with the longest.
func picture(stages []ping.Stage) string {
	longest := 0.0
	for _, s := range stages {
		longest = max(longest, s.Ms)
	}
	if longest == 0 {
		return ""
	}
	parts := make([]string, len(stages))
	for i, s := range stages {
		parts[i] = strings.TrimSuffix(s.Name+" "+duration(s.Ms), " ms") + " " + bar(s.Ms/longest, 4)
		if s.Failed {
			parts[i] += "✗"
		}
	}
	return strings.Join(parts, "  ")
}

// waterfall is a line for each stage: when it began and how long it took, as a picture, and what was found.
func (p *pingView) waterfall(stages []ping.Stage) {
	const cells = 24
	end, width := 0.0, 0
	for _, s := range stages {
		end, width = max(end, s.At+s.Ms), max(width, len(s.Name))
	}
	for _, s := range stages {
		picture := strings.Repeat(" ", int(s.At/max(end, 0.001)*cells)) + bar(s.Ms/max(end, 0.001), cells)
		detail := s.Detail
		if s.Failed {
			detail = "failed"
		}
		p.line("", fmt.Sprintf("  %-*s %7s  %-*s  %s", width, s.Name, duration(s.Ms), cells+1, picture, detail))
	}
}
