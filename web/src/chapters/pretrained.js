export function start(){}
