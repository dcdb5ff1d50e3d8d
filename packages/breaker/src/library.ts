/**
 * What is used of cockatiel: a module of ours in between, because a CommonJS package that is imported dynamically has no
 * named exports in a bundle of ES modules.
 */
export { CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhen, isBrokenCircuitError } from 'cockatiel';
