/** The package describes its types for the whole alone, which brings along the clients of fourteen other stores. */
declare module 'rate-limiter-flexible/lib/RateLimiterRedis.js' {
  export { RateLimiterRedis as default } from 'rate-limiter-flexible';
}
