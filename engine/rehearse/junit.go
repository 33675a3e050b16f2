package rehearse

import (
	"encoding/xml"
	"fmt"
	"io"
	"time"
)

// Suite is the tests of one file.
type Suite struct {
	File     string
	Outcomes []Outcome
	Failures []Failure // of the file as a whole
}

type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string     `xml:"name,attr"`
	Class   string     `xml:"classname,attr"`
	Time    string     `xml:"time,attr"`
	Failure *junitText `xml:"failure,omitempty"`
	Error   *junitText `xml:"error,omitempty"`
}

type junitText struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// WriteJUnit writes suites as JUnit's XML: a failure is an expectation that was not met, an error a test that could not be judged.
func WriteJUnit(w io.Writer, suites []Suite) error {
	var doc junitSuites
	for _, s := range suites {
		doc.Suites = append(doc.Suites, s.junit())
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (s Suite) junit() junitSuite {
	out := junitSuite{Name: s.File}
	var took time.Duration
	for _, o := range s.Outcomes {
		c := junitCase{Name: o.Test.Name, Class: s.File, Time: seconds(o.Took)}
		took += o.Took
		if len(o.Problems) > 0 {
			c.Error = &junitText{o.Problems[0].Summary, o.Problems.Error()}
			out.Errors++
		}
		if len(o.Failures) > 0 {
			c.Failure = failureText(o.Failures)
			out.Failures++
		}
		out.Cases = append(out.Cases, c)
	}
	if len(s.Failures) > 0 {
		out.Cases = append(out.Cases, junitCase{Name: "mocks of the file", Class: s.File, Time: seconds(0), Failure: failureText(s.Failures)})
		out.Failures++
	}
	out.Tests, out.Time = len(out.Cases), seconds(took)
	return out
}

func failureText(failures []Failure) *junitText {
	text := ""
	for _, f := range failures {
		text += f.String() + "\n"
	}
	return &junitText{failures[0].What, text}
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
