//go:build !lab

package faults_test

import "errors"

const labUser = ""

var errNoLab = errors.New("this fault needs the build tag lab")

func listenInHost(func() error) error { return errNoLab }

func (s *scene) startOpenSSH(*setup) (string, any, error) { return "", nil, errNoLab }
