package windows

// say gives a message in the language of the guest. The Japanese texts are those of FormatMessage and of the programs
// as far as they are known; what has none stays English.
func (g *Guest) say(english string) string {
	if !g.cfg.Japanese {
		return english
	}
	if text, ok := japanese(english); ok {
		return text
	}
	return english
}

func japanese(english string) (string, bool) {
	text, ok := map[string]string{
		"FAILED": "失敗", "SUCCESS": "成功",
		"The specified service does not exist as an installed service.":      "指定されたサービスはインストールされたサービスとして存在しません。",
		"An instance of the service is already running.":                     "サービスのインスタンスは既に実行中です。",
		"The service has not been started.":                                  "サービスは開始されていません。",
		"The requested control is not valid for this service.":               "要求された制御はこのサービスに無効です。",
		"A device attached to the system is not functioning.":                "システムに接続されたデバイスが機能していません。",
		"The system cannot find the file specified.":                         "指定されたファイルが見つかりません。",
		"The system cannot find the path specified.":                         "指定されたパスが見つかりません。",
		"The system cannot find the drive specified.":                        "指定されたドライブが見つかりません。",
		"The media is write protected.":                                      "このメディアは書き込み禁止になっています。",
		"The syntax of the command is incorrect.":                            "コマンドの構文が誤っています。",
		"The filename, directory name, or volume label syntax is incorrect.": "ファイル名、ディレクトリ名、またはボリューム ラベルの構文が間違っています。",
		"File Not Found":                        "ファイルが見つかりません",
		"Could Not Find":                        "見つかりませんでした:",
		"Access is denied.":                     "アクセスが拒否されました。",
		"ECHO is on.":                           "ECHO は <ON> です。",
		"ECHO is off.":                          "ECHO は <OFF> です。",
		"The operation completed successfully.": "この操作を正しく終了しました。",
		"ERROR: The system was unable to find the specified registry key or value.":                                             "エラー: 指定されたレジストリ キーまたは値が見つかりませんでした。",
		"ERROR: The system cannot find the file specified.":                                                                     "エラー: 指定されたファイルが見つかりません。",
		"ERROR: Access is denied.":                                                                                              "エラー: アクセスが拒否されました。",
		"ERROR: Input redirection is not supported, exiting the process immediately.":                                           "エラー: 入力のリダイレクトはサポートされていません。今すぐプロセスを終了します。",
		"INFO: No tasks are running which match the specified criteria.":                                                        "情報: 指定された条件に一致するタスクは実行されていません。",
		"INFO: Could not find files for the given pattern(s).":                                                                  "情報: 与えられたパターンのファイルが見つかりませんでした。",
		"'%s' is not recognized as an internal or external command,\r\noperable program or batch file.":                         "'%s' は、内部コマンドまたは外部コマンド、\r\n操作可能なプログラムまたはバッチ ファイルとして認識されていません。",
		"The service cannot be started, either because it is disabled or because it has no enabled devices associated with it.": "無効であるか、または有効なデバイスが関連付けられていないため、サービスを開始できません。",
		"SUCCESS: The scheduled task \"%s\" has successfully been created.":                                                     "成功: スケジュール タスク \"%s\" は正しく作成されました。",
		"SUCCESS: The scheduled task \"%s\" was successfully deleted.":                                                          "成功: スケジュール タスク \"%s\" は正しく削除されました。",
		"SUCCESS: Attempted to run the scheduled task \"%s\".":                                                                  "成功: スケジュール タスク \"%s\" の実行を試みました。",
		"The service name is invalid.":                                                                                          "サービス名が無効です。",
		"The requested service has already been started.":                                                                       "要求したサービスは既に開始されています。",
		"The %s service is not started.":                                                                                        "%s サービスは開始されていません。",
		"The %s service was started successfully.":                                                                              "%s サービスは正常に開始されました。",
		"The %s service was stopped successfully.":                                                                              "%s サービスは正常に停止されました。",
		"The %s service is starting.":                                                                                           "%s サービスを開始します.",
		"The %s service is stopping.":                                                                                           "%s サービスを停止中です.",
		"More help is available by typing NET HELPMSG %d.":                                                                      "NET HELPMSG %d と入力すると、より詳しい説明が得られます。",
	}[english]
	return text, ok
}

// message is the text of a code of Windows, as FormatMessage gives it.
func (g *Guest) message(code uint32) string {
	return g.say(map[uint32]string{
		errFileNotFound:   "The system cannot find the file specified.",
		errDenied:         "Access is denied.",
		errGenFailure:     "A device attached to the system is not functioning.",
		errInvalidControl: "The requested control is not valid for this service.",
		errAlreadyRunning: "An instance of the service is already running.",
		errDisabled:       "The service cannot be started, either because it is disabled or because it has no enabled devices associated with it.",
		errNoService:      "The specified service does not exist as an installed service.",
		errNotStarted:     "The service has not been started.",
	}[code])
}
