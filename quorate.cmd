@echo off
rem The same as ./quorate: builds what is older than its sources, then hands the command over. Quorate keeps data on
rem Linux only; here the tools work that talk to a cluster elsewhere. Exit codes: 69 for a missing SDK, 70 for a failed
rem build.
setlocal
dotnet --list-sdks 2>nul | findstr /b "10." >nul
if errorlevel 1 (
    echo quorate: the .NET 10 SDK is missing; install it and try again. 1>&2
    exit /b 69
)
set project=Quorate.Cli
set program=quorate.dll
if /i "%~1"=="simulate" (
    set project=Quorate.Simulator
    set program=Quorate.Simulator.dll
    shift
)
set arguments=
:next
if "%~1"=="" goto run
set arguments=%arguments% %1
shift
goto next
:run
dotnet build -c Release -v quiet -nologo "%~dp0src\%project%" 1>nul
if errorlevel 1 (
    echo quorate: the build failed; 'dotnet build src\%project%' says why. 1>&2
    exit /b 70
)
dotnet "%~dp0artifacts\bin\%project%\release\%program%" %arguments%
exit /b %errorlevel%
