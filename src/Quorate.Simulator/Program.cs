using Quorate.Simulator;

return SimulatorCommand.Create(Console.Out, Console.Error).Parse(args).Invoke();
