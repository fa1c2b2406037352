@echo off
rem The same as ./quorate. Exit codes: 64 for a command that does not exist, 69 for something not available.
setlocal
if "%~1"=="" goto overview
if /i "%~1"=="simulate" goto simulate
if /i "%~1"=="up" goto up
if /i "%~1"=="help" goto help
if /i "%~1"=="--help" goto help
echo quorate: '%~1' is not a command; 'quorate help' lists them. 1>&2
exit /b 64

:overview
echo Quorate, a distributed key-value store. No server yet; what works are nodes with typed values, under simulation.
echo.
echo   quorate simulate --seeds 200           run 200 simulated clusters with faults, and check each
echo   quorate simulate --seed 7 --verbose    watch one of them
echo   dotnet test                            run all tests
echo   quorate help                           every command
exit /b 0

:simulate
dotnet --list-sdks 2>nul | findstr /b "10." >nul
if errorlevel 1 (
    echo quorate: the .NET 10 SDK is missing; install it and try again. 1>&2
    exit /b 69
)
set arguments=
:next
shift
if "%~1"=="" goto run
set arguments=%arguments% %1
goto next
:run
dotnet run -c Release --project "%~dp0src\Quorate.Simulator" -- %arguments%
exit /b %errorlevel%

:up
echo quorate: there is no server to start yet; 'quorate simulate --seeds 200' runs simulated clusters. 1>&2
exit /b 69

:help
echo quorate                   what works so far and what to try
echo quorate simulate [ARGS]   run the simulator in Release, built when needed:
echo                             --seeds N [--from N]   sweep N seeds
echo                             --seed N [--verbose]   run one seed, and tell what happens
echo                             --seed N --shrink      find a smaller run that fails in the same way
echo quorate up                not there yet: it will start a cluster (exits 69)
echo quorate help              this text
exit /b 0
